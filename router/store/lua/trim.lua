-- trim: outbox entries that are on the bus are forgotten, and those who wait for that are told; the owner lives.
-- Not before the pool is vouched for: until then nobody knows whether the entries are those that were published.
-- Keys: meta, outbox, progress.

function T.control.trim(root, want)
  local meta, outbox, progress = root .. T.KEY.meta, root .. T.KEY.outbox, root .. T.KEY.progress
  local lease = T.lease(root)
  if not lease then
    return false
  end
  if not T.is_owner(lease, want) then
    return cmsgpack.pack(false)
  end
  redis.call('EXISTS', meta, outbox, progress)
  if want.upto > lease.number then
    -- The bus has more of this pool than the store, whatever a look at it said before.
    redis.call('HDEL', meta, 'verified')
    return false
  end
  if want.upto > lease.trimmed and lease.verified ~= T.life() then
    return false
  end
  if want.upto > lease.trimmed then
    redis.call('XTRIM', outbox, 'MINID', '=', T.int(want.upto + 1) .. '-0')
    redis.call('XADD', progress, 'MAXLEN', '=', '1', T.int(want.upto) .. '-0', 'e', '')
    redis.call('HSET', meta, 'trimmed', T.int(want.upto))
  end
  redis.call('HINCRBY', meta, 'relay_beat', 1)
  return cmsgpack.pack(true)
end
