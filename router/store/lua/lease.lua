-- lease: whose turn it is to relay.
-- Keys (read): meta.

-- The lease as a table; nil without the pool.
function T.lease(root)
  local found = redis.call('HMGET', root .. T.KEY.meta, 'gen', 'relay_epoch', 'relay_beat', 'relay_held', 'trimmed',
    'number', 'verified')
  if not found[1] then
    return nil
  end
  return {
    gen = tonumber(found[1]), epoch = tonumber(found[2] or '0'), beat = tonumber(found[3] or '0'),
    held = found[4] == '1', trimmed = tonumber(found[5] or '0'), number = tonumber(found[6] or '0'),
    verified = found[7],
  }
end

-- Whether a caller's lease is the newest, of this life of the pool.
function T.is_owner(lease, want)
  return lease.gen == want.gen and lease.epoch == want.epoch
end

function T.control.lease(root)
  local lease = T.lease(root)
  return lease and cmsgpack.pack(lease) or false
end
