-- Values: numbers as text, msgpack, names of keys.
--
-- All numbers in Lua are doubles: integers are exact below 2^53, and `..` and tostring write large ones in
-- exponent form, so every number that goes to the server goes through T.int.

-- Whether an optional text was given; absent and empty mean the same on the wire.
function T.given(text)
  return text ~= nil and text ~= ''
end

function T.int(number)
  return string.format('%.0f', number)
end

-- The full name of a key. T.KEY comes from keys.py, so both languages share one table of names.
function T.key(t, kind, id)
  if id then
    return t.root .. T.KEY[kind] .. id
  end
  return t.root .. T.KEY[kind]
end

-- A msgpack map of plain members and of members that are packed already; at most 15 members, so that the first
-- byte alone tells their number. An empty Lua table would pack as an array: leave empty maps out.
function T.map(plain, packed)
  local bytes = cmsgpack.pack(plain)
  if not packed then
    return bytes
  end
  local size, out = string.byte(bytes) - 0x80, { '', string.sub(bytes, 2) }
  for name, value in pairs(packed) do
    size = size + 1
    out[#out + 1] = cmsgpack.pack(name)
    out[#out + 1] = value
  end
  out[1] = string.char(0x80 + size)
  return table.concat(out)
end

-- A msgpack array of members that are packed already.
function T.array(packed)
  local size = #packed
  local head
  if size < 16 then
    head = string.char(0x90 + size)
  else
    head = string.char(0xdc, math.floor(size / 256), size % 256)
  end
  return head .. table.concat(packed)
end

-- A flat reply of HGETALL as a table; nil when there is no such key.
function T.pairs_of(flat)
  if #flat == 0 then
    return nil
  end
  local found = {}
  for i = 1, #flat, 2 do
    found[flat[i]] = flat[i + 1]
  end
  return found
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
