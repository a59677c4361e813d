-- take_epochs: a new fence for each input partition.
-- Keys: meta (read), fences.

function T.control.take_epochs(root, partitions)
  local fences = root .. T.KEY.fences
  if not T.pool(root) then
    return false
  end
  redis.call('EXISTS', fences)
  local epochs = {}
  for i, partition in ipairs(partitions) do
    epochs[i] = redis.call('HINCRBY', fences, 'epoch|' .. partition, 1)
  end
  return cmsgpack.pack(epochs)
end
