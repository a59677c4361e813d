-- read_work: work items after a place, in place order, and the last change before they were read.
-- Keys (read): meta, work, stamps.

local PAGE = 200

function T.control.read_work(root, want)
  local pool = T.pool(root)
  if not pool then
    return false
  end
  local from, limit = '(' .. T.int(want.after), math.min(want.limit, PAGE)
  local found = redis.call('ZRANGEBYSCORE', root .. T.KEY.work, from, '+inf', 'WITHSCORES', 'LIMIT', 0, limit)
  local names, items = {}, {}
  for i = 1, #found, 2 do
    names[#names + 1] = found[i]
  end
  local stamps = #names > 0 and redis.call('HMGET', root .. T.KEY.stamps, unpack(names)) or {}
  for i, name in ipairs(names) do
    items[i] = { item = name, place = tonumber(found[2 * i]), stamp = tonumber(stamps[i]) }
  end
  return T.map({ gen = pool.gen, change = pool.change, stamp = pool.stamp, now_ms = pool.now, items = items })
end
