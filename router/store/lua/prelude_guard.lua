-- What every act is checked for before it is looked at. The same checks in the same order as memory/guard.py.

local MAX_SKEW_MS = 5000

-- Whether the act's fence is the newest of its partition; notes whether its record was applied before. One that was
-- published well after the mark was noted can't have been: the topic was made anew, and its offsets with it.
local function holds(t, fence)
  local fences = T.key(t, 'fences')
  local found = redis.call('HMGET', fences, 'epoch|' .. fence.partition, 'applied|' .. fence.partition)
  if fence.offset < tonumber(found[2] or '0') then
    local noted = tonumber(redis.call('HGET', fences, 'applied_at|' .. fence.partition) or '0')
    t.is_applied = (fence.published_at_ms or 0) <= noted + MAX_SKEW_MS
  end
  return found[1] and tonumber(found[1]) == fence.epoch
end

-- The server's clock is asked only when the pool's own doesn't vouch, and never stored.
function T.is_skewed(t, pool, now_ms)
  return now_ms > pool.now + MAX_SKEW_MS and now_ms > T.witness(t) + MAX_SKEW_MS
end

local function refused(t, act)
  local pool = t.pool
  if pool.format > T.FORMAT then
    return 'newer'
  end
  if act.gen ~= pool.gen or not T.is_verified(pool) then
    return 'foreign'
  end
  if T.is_skewed(t, pool, act.now_ms) then
    return 'skewed'
  end
  if act.fence and not holds(t, act.fence) then
    return 'fenced'
  end
  return nil
end

-- Check, apply, write. KEYS[1] is the pool's prefix, ARGV[1] the act as msgpack; the answer is msgpack.
function T.serve(name, keys, args)
  local act = cmsgpack.unpack(args[1])
  act.op, act.actor, act.reason = act.op or '', act.actor or '', act.reason or ''
  local pool = T.pool(keys[1])
  if not pool then
    return T.map({ result = 'foreign' })
  end
  local t = T.start(keys[1], name, act, pool)
  local refusal = refused(t, act)
  if refusal then
    return T.map({ result = refusal })
  end
  pool.now = math.max(pool.now, act.now_ms)
  t.now = pool.now
  -- A level that nobody has renewed holds nothing up.
  if pool.level > 0 and t.now <= pool.looked + T.LEVEL_LIFE_MS then
    t.is_short, t.is_very_short = T.YIELDS[name], pool.level >= T.HARD
  end
  -- One value only: what an act returns beside its answer is for other acts.
  local answer = T.acts[name](t, act)
  T.commit(t)
  return answer
end
