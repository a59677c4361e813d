-- assign: a person gives an open case to an advisor.
-- Keys: case, history, timers, meta, outbox, advisor, work_set, changes, work, stamps, calls, line, heads.

function T.acts.assign(t, act)
  local row, answer = T.current_open(t)
  if not row then
    return answer
  end
  if row.owner == act.advisor and row.state == 'assigned' then
    return T.refuse(t, 'same', row)
  end
  local advisor = T.advisor(t, act.advisor)
  if not advisor or advisor.presence == 'offline' then
    return T.refuse(t, 'unfit', row)
  end
  if not act.over and not T.has_room(advisor, row.units, row.channel, row.id) then
    T.show(t, advisor)
    return T.refuse(t, 'no_room', row)
  end
  T.begin(t, row, act.plan, act.claim)
  T.let_go(t, row)
  row.over = false
  T.reserve(t, row, advisor, 'case')
  row.owner = advisor.id
  row.state = 'assigned'
  return T.settle(t, row, 'assigned', { about = advisor.id, taken = advisor.id, notices = act.notices })
end
