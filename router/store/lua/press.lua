-- press: how short memory is, as a router has found it just now.
-- Keys: meta.

function T.control.press(root, want)
  local pool = T.pool(root)
  if not pool then
    return false
  end
  if pool.format > T.FORMAT or T.is_skewed({ root = root }, pool, want.now_ms) then
    return cmsgpack.pack(false)
  end
  redis.call('HSET', pool.key, 'level', T.int(want.level), 'looked', T.int(math.max(pool.now, want.now_ms)))
  return cmsgpack.pack(true)
end
