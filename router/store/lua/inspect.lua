-- inspect: where a pool stands: what of it is here, whether it has been compared with the bus, who rebuilds it.
-- Keys (read): meta, rebuild.

function T.control.inspect(root)
  local pool, rebuild = T.pool(root), T.rebuild(root)
  local standing = { life = T.life(), verified = false }
  if pool then
    standing.is_there = true
    standing.gen, standing.number = pool.gen, pool.number
    standing.verified = T.is_verified(pool) and not rebuild
  end
  if rebuild then
    local left = rebuild.until_ms - T.witness({ root = root })
    standing.rebuild = {
      holder = rebuild.holder, gen = rebuild.gen, done = rebuild.done, total = rebuild.total,
      left_ms = math.max(left, 0),
    }
  end
  return cmsgpack.pack(standing)
end
