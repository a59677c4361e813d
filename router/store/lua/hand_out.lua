-- hand_out: what lies below these offsets may be at work from now on. A stale epoch is ignored.
-- Keys: fences.

function T.control.hand_out(root, marks)
  local fences = root .. T.KEY.fences
  for partition, mark in pairs(marks) do
    local epoch = redis.call('HGET', fences, 'epoch|' .. partition)
    if epoch and tonumber(epoch) == mark[1] then
      redis.call('HSET', fences, 'handed_out|' .. partition, T.int(mark[2]))
    end
  end
  return cmsgpack.pack(true)
end
