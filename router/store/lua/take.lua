-- take: another owner of the outbox; those before him may no longer trim.
-- Keys: meta.

function T.take(root, lease)
  lease.epoch, lease.held = lease.epoch + 1, true
  redis.call('HSET', root .. T.KEY.meta, 'relay_epoch', T.int(lease.epoch), 'relay_held', '1')
  return cmsgpack.pack(lease)
end

function T.control.take(root)
  local lease = T.lease(root)
  return lease and T.take(root, lease) or false
end
