-- snooze: timers are put off, as the plan says.
-- Keys: case, history, timers, meta, outbox.

function T.acts.snooze(t, act)
  local row, answer = T.current(t)
  if not row then
    return answer
  end
  T.begin(t, row, act.plan, act.claim)
  return T.settle(t, row, 'done', { notices = act.notices })
end
