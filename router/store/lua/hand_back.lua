-- hand_back: a consulted advisor is done.
-- Keys: case, history, timers, meta, outbox, advisor, work_set, changes, work, stamps, calls.

function T.acts.hand_back(t, act)
  local row, answer = T.current(t)
  if not row then
    return answer
  end
  if not T.is_consulted(row, act.advisor) then
    return T.refuse(t, 'same', row)
  end
  T.begin(t, row, act.plan, act.claim)
  T.release(t, row, act.advisor)
  local left = {}
  for _, consult in ipairs(row.consults) do
    if consult[1] ~= act.advisor then
      left[#left + 1] = consult
    end
  end
  T.set_consults(row, left)
  return T.settle(t, row, 'done', { about = act.advisor, notices = act.notices })
end
