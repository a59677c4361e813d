-- open: a pool is made when it isn't there, may be made and isn't being rebuilt; its marks follow the settings, and
-- its format rises to ours: from then on older versions refuse it, and none of them has its outbox.
-- Keys: meta; heads, work, timers, rebuild (read).

function T.control.open(root, want)
  local key = root .. T.KEY.meta
  local found = redis.call('HMGET', key, 'gen', 'outbox_mark', 'max_classes', 'format')
  redis.call('EXISTS', root .. T.KEY.heads, root .. T.KEY.work, root .. T.KEY.timers)
  if not found[1] then
    if not want.make or T.rebuild(root) then
      return false
    end
    redis.call('HSET', key, 'gen', '1', 'format', T.int(T.FORMAT), 'now', '0', 'verified', T.life())
  end
  if found[1] and tonumber(found[4] or '0') < T.FORMAT then
    redis.call('HSET', key, 'format', T.int(T.FORMAT), 'relay_held', '0')
    redis.call('HINCRBY', key, 'relay_epoch', 1)
  end
  if tonumber(found[2] or '-1') ~= want.outbox_mark or tonumber(found[3] or '-1') ~= want.max_classes then
    redis.call('HSET', key, 'outbox_mark', T.int(want.outbox_mark), 'max_classes', T.int(want.max_classes))
  end
  return T.control.status(root)
end
