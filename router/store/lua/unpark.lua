-- unpark: the owner takes parked or pending work up again.
-- Keys: case, history, timers, meta, outbox, advisor, work_set, changes, work, stamps, calls.

local WORKS = { online = true, finishing = true }

function T.acts.unpark(t, act)
  local row, answer = T.current(t)
  if not row then
    return answer
  end
  if T.given(act.advisor) and row.owner ~= act.advisor then
    return T.refuse(t, 'not_yours', row)
  end
  local advisor = row.owner ~= '' and T.advisor(t, row.owner) or nil
  if not advisor or (row.state ~= 'parked' and row.state ~= 'pending') then
    return T.refuse(t, 'gone', row)
  end
  local has_room = act.over or T.has_room(advisor, row.units, row.channel, row.id)
  if not WORKS[advisor.presence] or not has_room then
    T.show(t, advisor)
    return T.refuse(t, 'no_room', row)
  end
  T.begin(t, row, act.plan, act.claim)
  row.over = false
  T.reserve(t, row, advisor, 'case')
  row.state = 'assigned'
  return T.settle(t, row, 'returned', { about = row.owner, taken = row.owner, notices = act.notices })
end
