-- Reads that would need the records' bodies if a client did them.

-- seek: KEYS: stream, ends. ARGV: number, since in ms.
-- Returns the offset from which records are at or after that time, and the end.
local function seek(keys, args)
  local since_ms = tonumber(args[2])
  local ending = tonumber(redis.call('HGET', keys[2], args[1]) or '0')
  local function is_before(entry)
    return entry.at_ms < since_ms
  end
  return { integer(first_beyond(keys[1], 0, ending, is_before)), integer(ending) }
end

-- lag: KEYS: ends, cursors, then streams. ARGV: group, then their numbers.
-- Returns for each how many offsets lie between the cursor (or the oldest record) and the end.
local function lag(keys, args)
  local behind = {}
  for at = 2, #args do
    local ending = tonumber(redis.call('HGET', keys[1], args[at]) or '0')
    local cursor = tonumber(redis.call('HGET', keys[2], args[at] .. '/' .. args[1]) or '0')
    local head = entry_from(keys[at + 1], cursor)
    behind[#behind + 1] = head and ending - head.offset or 0
  end
  return behind
end
