-- requeue: an open case is placed anew.
-- Keys: case, history, timers, meta, outbox, advisor, work_set, changes, work, stamps, calls, line, heads.

function T.acts.requeue(t, act)
  local row, answer = T.current_open(t)
  if not row then
    return answer
  end
  local owner = row.owner
  T.begin(t, row, act.plan, act.claim)
  T.let_go(t, row)
  local result = T.place(t, row, act.plan, T.placing(act))
  if result == 'assigned' and row.owner == owner then
    result = 'returned'
  end
  return T.settle(t, row, result, { about = owner, taken = T.holder(row), notices = act.notices })
end
