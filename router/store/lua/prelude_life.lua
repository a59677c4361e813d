-- The server's life: what tells this run of this server from every other.
--
-- A server that comes back after a crash, from a backup or as a promoted replica may hold less than what was
-- confirmed, and none of its keys can say so. But what a library keeps in its own memory goes with the process, and
-- with every full synchronisation, which loads the functions anew. So the life is asked for once and remembered
-- here, and the pool's row names the life under which it was last compared with the bus (`verified`): acts go on
-- only while the two are the same. The replication id changes when a replica is promoted.

local life

function T.life()
  if not life then
    local told = redis.call('INFO', 'server') .. redis.call('INFO', 'replication')
    life = string.match(told, 'run_id:(%x+)') .. '/' .. string.match(told, 'master_replid:(%x+)')
  end
  return life
end

-- Whether the pool has been compared with the bus since this life began.
function T.is_verified(pool)
  return pool.verified == T.life()
end

-- A rebuild in progress, or nil: its fence, and how far it has come.
function T.rebuild(root)
  local key = root .. T.KEY.rebuild
  local found = redis.call('HMGET', key, 'epoch', 'holder', 'until_ms', 'gen', 'done', 'total')
  if not found[1] then
    return nil
  end
  return {
    epoch = tonumber(found[1]), holder = found[2], until_ms = tonumber(found[3]), gen = tonumber(found[4] or '0'),
    done = tonumber(found[5] or '0'), total = tonumber(found[6] or '0'),
  }
end

-- The rebuild in progress if `epoch` is its fence, else nil.
function T.my_rebuild(root, epoch)
  local rebuild = T.rebuild(root)
  return rebuild and rebuild.epoch == epoch and rebuild or nil
end
