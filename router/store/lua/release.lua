-- release: the owner of the outbox gives it up.
-- Keys: meta.

function T.control.release(root, mine)
  local lease = T.lease(root)
  if not lease then
    return false
  end
  if not T.is_owner(lease, mine) then
    return cmsgpack.pack(false)
  end
  redis.call('HSET', root .. T.KEY.meta, 'relay_held', '0')
  return cmsgpack.pack(true)
end
