-- Values: numbers as text, msgpack, names of keys.
--
-- All numbers in Lua are doubles: integers are exact below 2^53, and `..` and tostring write large ones in
-- exponent form, so every number that goes to the server goes through T.int.

-- Whether an optional text was given; absent and empty mean the same on the wire.
function T.given(text)
  return text ~= nil and text ~= ''
end

local MAX_KNOWN = 1000
local known, known_size = {}, 0

-- The same numbers are written again and again (now, small counts), and to make a text of one takes as long as ten
-- look-ups: texts are kept between calls, up to a bound. %d writes -0, which some servers make of a negated length
-- of 0, as 0; %.0f doesn't.
function T.int(number)
  local text = known[number]
  if not text then
    text = string.format('%d', number)
    if known_size >= MAX_KNOWN then
      known, known_size = {}, 0
    end
    known[number], known_size = text, known_size + 1
  end
  return text
end

-- The full name of a key. T.KEY comes from keys.py, so both languages share one table of names.
function T.key(t, kind, id)
  if id then
    return t.root .. T.KEY[kind] .. id
  end
  return t.root .. T.KEY[kind]
end

-- A packed map of at most 15 members, its number of members raised by as many as are put behind it.
function T.longer(bytes, more)
  return string.char(string.byte(bytes) + more) .. string.sub(bytes, 2)
end

-- The head of a msgpack map of that many members.
function T.map_of(size)
  if size < 16 then
    return string.char(0x80 + size)
  end
  return string.char(0xde, math.floor(size / 256), size % 256)
end

-- A msgpack map of plain members and of members that are packed already; at most 15 members, so that the first
-- byte alone tells their number. An empty Lua table would pack as an array: leave empty maps out.
function T.map(plain, packed)
  local bytes = cmsgpack.pack(plain)
  if not packed then
    return bytes
  end
  local size, out = 0, {}
  for name, value in pairs(packed) do
    size = size + 1
    out[2 * size - 1] = cmsgpack.pack(name)
    out[2 * size] = value
  end
  return T.longer(bytes, size) .. table.concat(out)
end

-- A msgpack array of members that are packed already.
function T.array(packed)
  local size = #packed
  if size == 1 then
    return '\145' .. packed[1]
  end
  local head
  if size < 16 then
    head = string.char(0x90 + size)
  else
    head = string.char(0xdc, math.floor(size / 256), size % 256)
  end
  return head .. table.concat(packed)
end

-- A list of names as one text, and the other way round. No name has a comma.
function T.joined(names)
  return table.concat(names, ',')
end

function T.parted(text)
  local names = {}
  for name in string.gmatch(text, '[^,]+') do
    names[#names + 1] = name
  end
  return names
end

-- Whether two maps of plain values hold the same.
function T.same(one, other)
  for name, value in pairs(one) do
    if other[name] ~= value then
      return false
    end
  end
  for name in pairs(other) do
    if one[name] == nil then
      return false
    end
  end
  return true
end
