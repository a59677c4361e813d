-- park: interruptible work makes room; its owner keeps it.
-- Keys: case, history, timers, meta, outbox, advisor, work_set, changes, work, stamps, calls.

function T.acts.park(t, act)
  local row, answer = T.current(t)
  if not row then
    return answer
  end
  if row.state ~= 'assigned' then
    return T.refuse(t, 'gone', row)
  end
  T.begin(t, row, act.plan, act.claim)
  T.park(t, row)
  row.state = 'parked'
  row.over = false
  return T.settle(t, row, 'done', { about = row.owner, notices = act.notices })
end
