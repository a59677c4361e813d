-- transfer: an open case is handed on.
-- Keys: case, messages, history, timers, meta, outbox, advisor, work_set, changes, work, stamps, calls, line, heads.

function T.acts.transfer(t, act)
  local row, answer = T.current_open(t)
  if not row then
    return answer
  end
  if T.given(act.advisor) and row.owner ~= act.advisor then
    return T.refuse(t, 'not_yours', row)
  end
  local placing = T.placing(act)
  local chosen = T.choose(t, row, placing)
  if act.must and #chosen == 0 then
    return T.refuse(t, 'refused', row)
  end
  local giver = row.owner
  T.begin(t, row, act.plan, act.claim)
  if T.given(act.message) then
    T.note(row, act.message)
  end
  if (act.wrap_up_ms or 0) ~= 0 then
    T.wrap_up(t, row, act.wrap_up_ms)
  end
  T.let_go(t, row)
  local result = 'queued'
  if #chosen > 0 then
    result = T.hand_to(t, row, chosen, placing)
  else
    T.enqueue(t, row, act.plan)
  end
  return T.settle(t, row, result, { about = giver, taken = T.holder(row), notices = act.notices })
end
