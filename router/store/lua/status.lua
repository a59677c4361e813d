-- status: the numbers of a pool.
-- Keys (read): meta, heads, work, timers.

function T.control.status(root)
  local pool = T.pool(root)
  if not pool then
    return false
  end
  local first = redis.call('ZRANGE', root .. T.KEY.timers, 0, 0, 'WITHSCORES')
  return T.map({
    gen = pool.gen, format = pool.format, now_ms = pool.now, change = pool.change, number = pool.number,
    trimmed = pool.trimmed, queued = pool.queued, classes = redis.call('HLEN', root .. T.KEY.heads),
    outbox_mark = pool.outbox_mark, level = pool.level, looked_ms = pool.looked,
    witness_ms = T.witness({ root = root }),
    work = redis.call('ZCARD', root .. T.KEY.work), timers = redis.call('ZCARD', root .. T.KEY.timers),
  }, { next_timer_ms = cmsgpack.pack(first[2] and tonumber(first[2]) or nil) })
end
