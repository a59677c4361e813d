-- Upkeep: the age of the bus, retention, compaction that was put off.

-- tick: advance the bus's age, once an interval over all processes. The age counts time the bus was in use:
-- neither a night switched off nor a jump of the clock makes a group look idle.
-- KEYS: upkeep, groups. ARGV: interval in ms, idle limit in ms.
-- Returns nothing when it isn't time; else the age below which groups are idle, and those groups.
local function tick(keys, args)
  local now, interval = now_ms(), tonumber(args[1])
  local last = tonumber(redis.call('HGET', keys[1], 'last_ms') or '0')
  local elapsed = now - last
  if elapsed >= 0 and elapsed < interval then
    return {}
  end
  local age = tonumber(redis.call('HGET', keys[1], 'age_ms') or '0')
  age = age + math.max(0, math.min(elapsed, 2 * interval))
  redis.call('HSET', keys[1], 'age_ms', integer(age), 'last_ms', integer(now))
  local idle_below = age - tonumber(args[2])
  local idle = redis.call('ZRANGE', keys[2], '-inf', integer(idle_below), 'BYSCORE', 'LIMIT', 0, LIMIT)
  table.insert(idle, 1, integer(idle_below))
  return idle
end

-- libraries: note the library that is in use, and find versions that haven't been since an age.
-- KEYS: upkeep. ARGV: the bus's age in ms, that age, the library in use, the others there are.
-- Returns those to be deleted; they are no longer noted.
local function libraries(keys, args)
  local unused = {}
  redis.call('HSET', keys[1], 'used_ms:' .. args[3], args[1])
  for at = 4, #args do
    local field = 'used_ms:' .. args[at]
    redis.call('HSETNX', keys[1], field, args[1])
    if tonumber(redis.call('HGET', keys[1], field)) < tonumber(args[2]) then
      redis.call('HDEL', keys[1], field)
      unused[#unused + 1] = args[at]
    end
  end
  return unused
end

local function lowest_cursors(cursors)
  local lowest = {}
  local all = redis.call('HGETALL', cursors)
  for at = 1, #all, 2 do
    local number, cursor = string.match(all[at], '^%d+'), tonumber(all[at + 1])
    lowest[number] = math.min(lowest[number] or cursor, cursor)
  end
  return lowest
end

-- trim: drop what is too old or too much, never past the lowest cursor of a group.
-- KEYS: ends, cursors, then the streams of the topic's partitions 0, 1, ...
-- ARGV: retention in ms, bytes a partition may hold. Returns how many were dropped.
local function trim(keys, args)
  local oldest_ms, max_bytes = now_ms() - tonumber(args[1]), tonumber(args[2])
  local lowest, dropped = lowest_cursors(keys[2]), 0
  for place = 3, #keys do
    local number, stream = integer(place - 3), keys[place]
    local ends = redis.call('HMGET', keys[1], number, number .. ':b')
    local head = ends[1] and entry_from(stream, 0)
    if head and dropped < LIMIT then
      local total = tonumber(ends[2])
      local function is_surplus(entry)
        return entry.at_ms < oldest_ms or total - entry.bytes >= max_bytes
      end
      local high = math.min(tonumber(ends[1]), lowest[number] or math.huge, head.offset + LIMIT - dropped)
      if high > head.offset and is_surplus(head) then
        local keep = first_beyond(stream, head.offset, high, is_surplus)
        dropped = dropped + redis.call('XTRIM', stream, 'MINID', '=', id_at(keep))
      end
    end
  end
  return dropped
end

-- compact: drop the superseded records and tombstones of a partition that have been readable long enough.
-- KEYS: stream, index, stale. Returns how many were dropped.
local function compact(keys, args)
  local due = redis.call('ZRANGE', keys[3], '-inf', integer(now_ms()), 'BYSCORE', 'LIMIT', 0, LIMIT)
  for _, id in ipairs(due) do
    local entry = entry_from(keys[1], offset_of(id))
    if entry and entry.offset == offset_of(id) then
      if redis.call('HGET', keys[2], entry.key) == id then -- a tombstone: a superseded one is not in the index
        redis.call('HDEL', keys[2], entry.key)
      end
      redis.call('XDEL', keys[1], id)
    end
    redis.call('ZREM', keys[3], id)
  end
  return #due
end
