-- attempt: count an attempt on a record before it is made, or forget them when it is over. Gives how many were
-- counted; 0 when the epoch is stale or it is over.
-- Keys: fences.

function T.control.attempt(root, want)
  local fences, fence = root .. T.KEY.fences, want.fence
  local epoch = redis.call('HGET', fences, 'epoch|' .. fence.partition)
  if not epoch or tonumber(epoch) ~= fence.epoch then
    return cmsgpack.pack(0)
  end
  local tried = 'tried|' .. fence.partition .. '|' .. T.int(fence.offset)
  if want.over then
    redis.call('HDEL', fences, tried)
    return cmsgpack.pack(0)
  end
  return cmsgpack.pack(redis.call('HINCRBY', fences, tried, 1))
end
