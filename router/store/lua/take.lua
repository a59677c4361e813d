-- take: a new epoch for the relay; those before it may no longer trim.
-- Keys: meta.

function T.control.take(root)
  if not T.pool(root) then
    return false
  end
  return cmsgpack.pack(redis.call('HINCRBY', root .. T.KEY.meta, 'relay_epoch', 1))
end
