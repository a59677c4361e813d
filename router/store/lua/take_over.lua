-- take_over: another owner, unless the one that was seen has been heard of since, or the pool's format is newer.
-- Keys: meta.

function T.control.take_over(root, seen)
  local lease = T.lease(root)
  if not lease then
    return false
  end
  local format = tonumber(redis.call('HGET', root .. T.KEY.meta, 'format') or '0')
  if format > T.FORMAT or not T.is_owner(lease, seen) or lease.beat ~= seen.beat then
    return cmsgpack.pack(nil)
  end
  return T.take(root, lease)
end
