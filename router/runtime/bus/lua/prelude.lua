-- Shared by the functions of the bus. Numbers leave as text by integer(): Lua prints large ones as 1e+15.

local LIMIT = 200 -- elements one call may go through in a loop that writes

local function integer(number)
  return string.format('%.0f', number)
end

local function now_ms()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

-- The id of the entry at an offset. 0-0 is no valid id, so ids are one ahead of the dense offsets.
local function id_at(offset)
  return integer(offset + 1) .. '-0'
end

local function offset_of(id)
  return tonumber(string.match(id, '^%d+')) - 1
end

-- The first entry at or behind an offset: its offset, time and running byte count; nil when none is left.
local function entry_from(stream, offset)
  local found = redis.call('XRANGE', stream, id_at(offset), '+', 'COUNT', 1)[1]
  if not found then
    return nil
  end
  local fields = found[2] -- t TIME b BYTES k KEY ...
  return { offset = offset_of(found[1]), at_ms = tonumber(fields[2]), bytes = tonumber(fields[4]), key = fields[6] }
end

-- The first offset in [low, high] whose entry does not satisfy the claim. The claim must hold for a prefix.
local function first_beyond(stream, low, high, claim)
  while low < high do
    local middle = math.floor((low + high) / 2)
    local entry = entry_from(stream, middle)
    if entry and entry.offset < high and claim(entry) then
      low = entry.offset + 1
    else
      high = middle
    end
  end
  return low
end

local function tell_group(wake)
  redis.call('XADD', wake, 'MAXLEN', 1, '*', 'w', '1')
end
