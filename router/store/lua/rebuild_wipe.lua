-- rebuild_wipe: some of the keys of the pool that is rebuilt are removed.
-- Keys: rebuild (read), case, messages, history, conversation, advisor, work_set, advisors, line, heads, work, stamps,
-- timers, changes, outbox, calls, progress.

function T.control.rebuild_wipe(root, want)
  if not T.my_rebuild(root, want.epoch) then
    return cmsgpack.pack(false)
  end
  if #want.keys > 0 then
    redis.call('EXISTS', unpack(want.keys))
    redis.call('UNLINK', unpack(want.keys))
  end
  return cmsgpack.pack(true)
end
