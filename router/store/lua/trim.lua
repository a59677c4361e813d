-- trim: outbox entries that are on the bus are forgotten, and those who wait for that are told.
-- Keys: meta, outbox, progress.

function T.control.trim(root, want)
  local meta, outbox, progress = root .. T.KEY.meta, root .. T.KEY.outbox, root .. T.KEY.progress
  local found = redis.call('HMGET', meta, 'relay_epoch', 'trimmed')
  if tonumber(found[1] or '0') ~= want.epoch then
    return cmsgpack.pack(false)
  end
  redis.call('EXISTS', meta, outbox, progress)
  redis.call('XTRIM', outbox, 'MINID', '=', T.int(want.upto + 1) .. '-0')
  if want.upto > tonumber(found[2] or '0') then
    redis.call('XADD', progress, 'MAXLEN', '=', '1', T.int(want.upto) .. '-0', 'e', '')
    redis.call('HSET', meta, 'trimmed', T.int(want.upto))
  end
  return cmsgpack.pack(true)
end
