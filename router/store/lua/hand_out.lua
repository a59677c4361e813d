-- hand_out: what lies below these offsets may be at work from now on. A stale epoch is ignored.
-- Keys: fences.

function T.control.hand_out(root, marks)
  local fences, partitions, epochs, noted = root .. T.KEY.fences, {}, {}, {}
  for partition in pairs(marks) do
    partitions[#partitions + 1] = partition
    epochs[#epochs + 1] = 'epoch|' .. partition
  end
  local found = #epochs > 0 and redis.call('HMGET', fences, unpack(epochs)) or {}
  for i, partition in ipairs(partitions) do
    local mark = marks[partition]
    if found[i] and tonumber(found[i]) == mark[1] then
      noted[#noted + 1] = 'handed_out|' .. partition
      noted[#noted + 1] = T.int(mark[2])
    end
  end
  if #noted > 0 then
    redis.call('HSET', fences, unpack(noted))
  end
  return cmsgpack.pack(true)
end
