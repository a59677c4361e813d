-- applied: what was published by now and lies below these offsets is a duplicate ever after. A stale epoch is
-- ignored.
-- Keys: meta (read), fences.

function T.control.applied(root, watermarks)
  local fences = root .. T.KEY.fences
  local now = redis.call('HGET', root .. T.KEY.meta, 'now') or '0'
  for partition, mark in pairs(watermarks) do
    local epoch, offset = 'epoch|' .. partition, 'applied|' .. partition
    local found = redis.call('HMGET', fences, epoch, offset)
    if found[1] and tonumber(found[1]) == mark[1] and mark[2] > tonumber(found[2] or '0') then
      redis.call('HSET', fences, offset, T.int(mark[2]), 'applied_at|' .. partition, now)
    end
  end
  return cmsgpack.pack(true)
end
