-- accept: an advisor takes an offer, and all others of the case end; or he comes in where he is consulted.
-- Keys: case, history, timers, meta, outbox, advisor, work_set, changes, work, stamps, calls.

function T.acts.accept(t, act)
  local row, answer = T.found(t, T.case(t, act.case))
  if not row then
    return answer
  end
  if (row.owner == act.advisor and row.state == 'assigned') or T.is_consulted(row, act.advisor) then
    return T.refuse(t, 'same', row)
  end
  if not T.has_offer(row, act.advisor, act.offer_ver) then
    return T.refuse(t, 'gone', row)
  end
  if act.plan and act.plan.ver ~= row.ver then
    return T.refuse(t, 'conflict', row)
  end
  T.begin(t, row, act.plan)
  if T.is_consult(row) then
    return T.join(t, row, act.advisor)
  end
  T.withdraw(t, row, act.advisor)
  local advisor = T.advisor(t, act.advisor)
  advisor.missed = 0
  row.owner = act.advisor
  row.state = 'assigned'
  row.over = false
  T.reserve(t, row, advisor, 'case')
  return T.settle(t, row, 'assigned', { about = act.advisor, taken = act.advisor })
end
