-- publish: append records of any partitions in one step; all or none.
-- KEYS: for each partition its stream, the topic's ends, index, stale.
-- ARGV: number of partitions; for each its number, '1' when compacted, compaction lag in ms, lifetime of a
-- tombstone in ms; then for each record: which partition (from 1), key, headers, '1' with a value, value.
-- Returns the offsets, in the order of the records.

local function partition_from(keys, args, which)
  local first = 4 * (which - 1)
  local at = 2 + first
  local ends = redis.call('HMGET', keys[first + 2], args[at], args[at] .. ':t', args[at] .. ':b')
  return {
    stream = keys[first + 1],
    ends = keys[first + 2],
    index = keys[first + 3],
    stale = keys[first + 4],
    number = args[at],
    compacted = args[at + 1] == '1',
    lag_ms = tonumber(args[at + 2]),
    tombstone_ms = tonumber(args[at + 3]),
    next_offset = tonumber(ends[1] or '0'),
    at_ms = tonumber(ends[2] or '0'),
    bytes = tonumber(ends[3] or '0'),
  }
end

-- The key's previous record goes now, or once it has been readable for the compaction lag.
local function supersede(partition, key, id)
  local old = redis.call('HGET', partition.index, key)
  if old then
    local entry = partition.lag_ms > 0 and entry_from(partition.stream, offset_of(old))
    local due_ms = entry and entry.at_ms + partition.lag_ms or 0
    if due_ms <= partition.at_ms then
      redis.call('XDEL', partition.stream, old)
      redis.call('ZREM', partition.stale, old)
    else
      redis.call('ZADD', partition.stale, integer(due_ms), old)
    end
  end
  redis.call('HSET', partition.index, key, id)
end

local function append(partition, key, headers, value)
  local id = id_at(partition.next_offset)
  partition.bytes = partition.bytes + #key + #headers + #(value or '') + 64
  local fields = { 't', integer(partition.at_ms), 'b', integer(partition.bytes), 'k', key, 'h', headers }
  if value then
    fields[9], fields[10] = 'v', value
  end
  redis.call('XADD', partition.stream, id, unpack(fields))
  if partition.compacted then
    supersede(partition, key, id)
    if not value then
      redis.call('ZADD', partition.stale, integer(partition.at_ms + partition.tombstone_ms), id)
    end
  end
  partition.next_offset = partition.next_offset + 1
end

local function publish(keys, args)
  local count = tonumber(args[1])
  local now, partitions, offsets = now_ms(), {}, {}
  for which = 1, count do
    partitions[which] = partition_from(keys, args, which)
    -- Time never goes back within a partition: searches by time rest on that.
    partitions[which].at_ms = math.max(partitions[which].at_ms, now)
  end
  for at = 2 + 4 * count, #args, 5 do
    local partition = partitions[tonumber(args[at])]
    offsets[#offsets + 1] = integer(partition.next_offset)
    append(partition, args[at + 1], args[at + 2], args[at + 3] == '1' and args[at + 4] or nil)
  end
  for _, p in ipairs(partitions) do
    redis.call('HSET', p.ends, p.number, integer(p.next_offset), p.number .. ':t', integer(p.at_ms),
      p.number .. ':b', integer(p.bytes))
  end
  return offsets
end
