-- vouch: the pool has been compared with the bus and isn't behind: acts may go on.
-- Keys: meta; rebuild (read).

function T.control.vouch(root, seen)
  local pool = T.pool(root)
  -- The one who compared must have looked at this very server, and at no less than is here now.
  if not pool or T.rebuild(root) or T.life() ~= seen.life or pool.gen ~= seen.gen or pool.number < seen.number then
    return cmsgpack.pack(false)
  end
  redis.call('HSET', pool.key, 'verified', seen.life)
  return cmsgpack.pack(true)
end
