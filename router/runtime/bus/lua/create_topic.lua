-- create_topic: note a topic, or say how it is noted already.
-- KEYS: topics. ARGV: name, spec. Returns the spec that holds.
local function create_topic(keys, args)
  redis.call('HSETNX', keys[1], args[1], args[2])
  return redis.call('HGET', keys[1], args[1])
end
