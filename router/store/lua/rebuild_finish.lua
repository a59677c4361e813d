-- rebuild_finish: the pool is whole again, of a new gen; whoever has an older one is foreign from now on.
-- Keys: rebuild, meta, advisors (read), advisor, work_set (read), changes.

-- One change, for those who wait for one: it is of the new gen, so they read the roster anew.
local function wake(t)
  local first = redis.call('ZRANGE', T.key(t, 'advisors'), 0, 0)[1]
  if first then
    T.touch(t, T.advisor(t, first))
    T.flush(t)
  end
end

function T.control.rebuild_finish(root, epoch)
  local rebuild, pool = T.my_rebuild(root, epoch), T.pool(root)
  if not rebuild or not pool then
    return cmsgpack.pack(false)
  end
  pool.gen = rebuild.gen
  local t = T.start(root, 'rebuild', { op = '', actor = '', reason = '' }, pool)
  wake(t)
  T.put(t, 'HSET', pool.key, 'gen', T.int(pool.gen), 'verified', T.life())
  T.put(t, 'HINCRBY', pool.key, 'relay_epoch', '1')
  T.put(t, 'DEL', root .. T.KEY.rebuild)
  T.commit(t)
  return cmsgpack.pack(true)
end
