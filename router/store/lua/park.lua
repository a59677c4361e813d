-- park: interruptible work makes room, or is parked by hand until a time; its owner keeps it.
-- Keys: case, history, timers, meta, outbox, advisor, work_set, changes, work, stamps, calls.

local function may_park(t, row, until_ms, held_ms)
  if row.state == 'assigned' then
    return held_ms == 0
  end
  if row.state ~= 'parked' then
    return false
  end
  if held_ms == 0 then
    return until_ms ~= 0
  end
  return T.advisor(t, row.owner).timers[T.park_timer(row.id)] == held_ms
end

function T.acts.park(t, act)
  local row, answer = T.current(t)
  if not row then
    return answer
  end
  if T.given(act.advisor) and row.owner ~= act.advisor then
    return T.refuse(t, 'not_yours', row)
  end
  local until_ms = act.until_ms or 0
  if not may_park(t, row, until_ms, act.held_ms or 0) then
    return T.refuse(t, 'gone', row)
  end
  T.begin(t, row, act.plan, act.claim)
  T.park(t, row, until_ms)
  row.state = 'parked'
  row.over = false
  return T.settle(t, row, 'done', { about = row.owner, notices = act.notices })
end
