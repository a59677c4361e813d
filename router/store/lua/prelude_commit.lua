-- Writing: everything an act has come to, at once, after all of it has been computed and packed.
--
-- Every key is touched by one EXISTS before the first write: while the keys of a slot are being moved that is
-- where an act fails, whole, and not half-way. No command after it can be refused: types are our own, and the
-- streams take the numbers that the pool's row counts, written last in the same step.

local KEPT_MESSAGES, KEPT_HISTORY, KEPT_CHANGES = 500, 50, 10000

function T.put(t, ...)
  t.writes[#t.writes + 1] = { ... }
end

local function text(value)
  if type(value) == 'number' then
    return T.int(value)
  end
  if type(value) == 'boolean' then
    return value and '1' or '0'
  end
  return value
end

-- One HSET of the members that changed and one HDEL of the collections that are empty now.
local function put_row(t, row, collections)
  local set, drop = { 'HSET', row.key }, { 'HDEL', row.key }
  for name, default in pairs(row.members) do
    if row[name] ~= T.typed(row.raw[name], default) then
      set[#set + 1] = name
      set[#set + 1] = text(row[name])
    end
  end
  for _, name in ipairs(collections) do
    if row.dirty[name] then
      if next(row[name]) then
        set[#set + 1] = name
        set[#set + 1] = cmsgpack.pack(row[name])
      else
        drop[#drop + 1] = name
      end
    end
  end
  if #set > 2 then
    t.writes[#t.writes + 1] = set
  end
  if #drop > 2 then
    t.writes[#t.writes + 1] = drop
  end
end

local function put_list(t, kind, id, texts, kept)
  if #texts > 0 then
    t.pushes[#t.pushes + 1] = { key = T.key(t, kind, id), texts = texts, kept = kept }
  end
end

local function put_case(t, row)
  if row.gone then
    T.put(t, 'DEL', row.key)
    T.put(t, 'DEL', T.key(t, 'messages', row.id))
    T.put(t, 'DEL', T.key(t, 'history', row.id))
    return
  end
  put_row(t, row, { 'offers', 'consults', 'timers', 'operations' })
  put_list(t, 'messages', row.id, row.messages, KEPT_MESSAGES)
  put_list(t, 'history', row.id, row.history, KEPT_HISTORY)
end

local function put_advisor(t, row)
  put_row(t, row, { 'caps', 'timers', 'operations' })
  if row.is_new then
    T.put(t, 'ZADD', T.key(t, 'advisors'), '0', row.id)
  end
  local key = T.key(t, 'work_set', row.id)
  for case in pairs(row.work_changed) do
    local item = row.work[case]
    if item then
      T.put(t, 'HSET', key, case, T.int(item.units) .. '|' .. item.channel .. '|' .. item.kind)
    else
      T.put(t, 'HDEL', key, case)
    end
  end
end

local function put_talk(t, talk)
  local key = T.key(t, 'conversation', talk.id)
  if talk.gone then
    T.put(t, 'DEL', key)
  else
    T.put(t, 'HSET', key, 'case', talk.case, 'seen', cmsgpack.pack(talk.seen))
    if talk.moved_to ~= '' then
      T.put(t, 'HSET', key, 'moved_to', talk.moved_to)
    end
  end
end

local function put_timers(t)
  local key = T.key(t, 'timers')
  local set, drop = { 'ZADD', key }, { 'ZREM', key }
  for member, deadline in pairs(t.timers) do
    if deadline then
      set[#set + 1] = T.int(deadline)
      set[#set + 1] = member
    else
      drop[#drop + 1] = member
    end
  end
  if #set > 2 then
    t.writes[#t.writes + 1] = set
  end
  if #drop > 2 then
    t.writes[#t.writes + 1] = drop
  end
end

local function put_work(t)
  if #t.stamped == 0 then
    return
  end
  -- NX: an item keeps the place of its first stamp until it is done.
  local places, stamps = { 'ZADD', T.key(t, 'work'), 'NX' }, { 'HSET', T.key(t, 'stamps') }
  for _, item in ipairs(t.stamped) do
    local seen = t.stamps[item]
    places[#places + 1] = T.int(seen.place)
    places[#places + 1] = item
    stamps[#stamps + 1] = item
    stamps[#stamps + 1] = T.int(seen.stamp)
  end
  t.writes[#t.writes + 1] = places
  t.writes[#t.writes + 1] = stamps
  -- One entry, only to wake whoever waits for work.
  T.put(t, 'XADD', T.key(t, 'calls'), 'MAXLEN', '=', '1', T.int(t.pool.stamp) .. '-0', 'e', '')
end

-- The streams come first: an id that isn't greater than the last would be refused, with nothing written yet.
local function put_streams(t)
  local ordered = {}
  for _, entry in ipairs(t.entries) do
    ordered[#ordered + 1] = { 'XADD', T.key(t, 'outbox'), T.int(entry[1]) .. '-0', 'e', entry[2] }
  end
  for _, change in ipairs(t.changes) do
    ordered[#ordered + 1] = {
      'XADD', T.key(t, 'changes'), 'MAXLEN', '~', T.int(KEPT_CHANGES), T.int(change[1]) .. '-0', 'e', change[2],
    }
  end
  for _, write in ipairs(t.writes) do
    ordered[#ordered + 1] = write
  end
  t.writes = ordered
end

local function put_all(t)
  for _, row in pairs(t.cases) do
    if row and row.has_changed then
      put_case(t, row)
    end
  end
  for _, row in pairs(t.advisors) do
    if row and row.has_changed then
      put_advisor(t, row)
    end
  end
  for _, talk in pairs(t.talks) do
    put_talk(t, talk)
  end
  put_timers(t)
  put_work(t)
  put_streams(t)
  put_row(t, t.pool, {})
end

-- The directory of classes follows the lines that changed.
local function follow_heads(t)
  local heads = T.key(t, 'heads')
  for class_key, line in pairs(t.lines) do
    if line.changed then
      local first = redis.call('ZRANGE', T.key(t, 'line', class_key), 0, 0, 'WITHSCORES')
      if first[1] then
        redis.call('HSET', heads, class_key, T.int(tonumber(first[2])) .. ' ' .. first[1])
      else
        redis.call('HDEL', heads, class_key)
      end
    end
  end
end

local function push_lists(t)
  for _, push in ipairs(t.pushes) do
    local length = redis.call('RPUSH', push.key, unpack(push.texts))
    if length > push.kept then
      redis.call('LTRIM', push.key, T.int(-push.kept), '-1')
    end
  end
end

local function touch_keys(t)
  local seen, keys = {}, {}
  for _, write in ipairs(t.writes) do
    if not seen[write[2]] then
      seen[write[2]] = true
      keys[#keys + 1] = write[2]
    end
  end
  for _, push in ipairs(t.pushes) do
    keys[#keys + 1] = push.key
  end
  keys[#keys + 1] = T.key(t, 'heads')
  redis.call('EXISTS', unpack(keys))
end

function T.commit(t)
  put_all(t)
  if #t.writes == 0 then
    return
  end
  touch_keys(t)
  for _, write in ipairs(t.writes) do
    redis.call(unpack(write))
  end
  push_lists(t)
  follow_heads(t)
end
