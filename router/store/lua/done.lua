-- done: a work item has been served.
-- Keys: work, stamps, meta.

function T.acts.done(t, act)
  local stamps = T.key(t, 'stamps')
  local stamp = redis.call('HGET', stamps, act.item)
  if not stamp or tonumber(stamp) ~= act.stamp then
    return T.map({ result = 'same' })
  end
  T.put(t, 'ZREM', T.key(t, 'work'), act.item)
  T.put(t, 'HDEL', stamps, act.item)
  return T.map({ result = 'done' })
end
