-- wrap_up: an advisor's wrap-up ends, or goes on.
-- Keys: advisor, work_set, timers, changes, work, stamps, calls, meta.

function T.acts.wrap_up(t, act)
  local advisor, answer = T.found(t, T.advisor(t, act.advisor))
  if not advisor then
    return answer
  end
  local item = advisor.work[act.case]
  local is_over = not item or item.kind ~= 'wrap-up'
  if is_over or (act.claim and advisor.timers[act.claim[1]] ~= act.claim[2]) then
    T.show(t, advisor)
    return T.refuse(t, 'gone')
  end
  if (act.until_ms or 0) ~= 0 then
    T.arm(t, advisor, T.wrap_up_timer(act.case), act.until_ms)
  else
    T.free(t, advisor, act.case)
  end
  return T.quiet(t, advisor, true)
end
