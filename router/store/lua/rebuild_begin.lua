-- rebuild_begin: one rebuilder from now on, and no acts until it is done.
-- Keys: rebuild, meta.

function T.control.rebuild_begin(root, want)
  local key, meta = root .. T.KEY.rebuild, root .. T.KEY.meta
  local rebuild, now = T.rebuild(root), T.witness({ root = root })
  if rebuild and rebuild.holder ~= want.holder and rebuild.until_ms > now then
    return cmsgpack.pack(0)
  end
  local is_mine = rebuild and rebuild.holder == want.holder
  local epoch = is_mine and rebuild.epoch or (rebuild and rebuild.epoch or 0) + 1
  redis.call('EXISTS', key, meta)
  redis.call('HSET', key, 'epoch', T.int(epoch), 'holder', want.holder, 'until_ms', T.int(now + want.lease_ms))
  redis.call('HDEL', meta, 'verified')
  return cmsgpack.pack(epoch)
end
