-- match: the head of a wait class goes to an advisor.
-- Keys: case, history, timers, meta, outbox, advisor, work_set, changes, work, stamps, calls, line, heads.

function T.acts.match(t, act)
  local row, answer = T.current(t)
  if not row then
    return answer
  end
  local head = redis.call('ZRANGE', T.key(t, 'line', act.class_key), 0, 0)[1] or ''
  if row.state ~= 'queued' or row.class_key ~= act.class_key or head ~= row.id then
    return T.refuse(t, 'not_head', row, head)
  end
  local placing = T.placing(act)
  local chosen = T.choose(t, row, placing)
  if #chosen == 0 then
    return T.refuse(t, 'refused', row)
  end
  T.begin(t, row, act.plan, act.claim)
  T.dequeue(t, row)
  local result = T.hand_to(t, row, chosen, placing)
  return T.settle(t, row, result, { about = chosen[1].id, taken = chosen[1].id, notices = act.notices })
end
