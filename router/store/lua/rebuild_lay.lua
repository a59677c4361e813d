-- rebuild_lay: the row of the pool that is rebuilt. Its gen is 0 until the rebuild is finished: nobody's.
-- Keys: rebuild, meta.

function T.control.rebuild_lay(root, want)
  local rebuild = T.my_rebuild(root, want.epoch)
  if not rebuild then
    return cmsgpack.pack(false)
  end
  local meta, base = root .. T.KEY.meta, T.int(want.base)
  local relay_epoch = redis.call('HGET', meta, 'relay_epoch') or '0'
  redis.call('EXISTS', meta, root .. T.KEY.rebuild)
  redis.call('DEL', meta)
  redis.call('HSET', meta, 'gen', '0', 'format', T.int(T.FORMAT), 'now', T.int(want.now_ms),
    'change', base, 'number', base, 'trimmed', base, 'stamp', base, 'queued', '0', 'relay_epoch', relay_epoch,
    'outbox_mark', T.int(want.outbox_mark), 'max_classes', T.int(want.max_classes))
  redis.call('HSET', root .. T.KEY.rebuild, 'gen', T.int(want.gen), 'done', '0', 'total', T.int(want.total))
  return cmsgpack.pack(true)
end
