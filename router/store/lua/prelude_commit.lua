-- Writing: everything an act has come to, at once, after all of it has been computed and packed.
--
-- Every key is touched before the first write, by reading its row or by one EXISTS: while the keys of a slot are
-- being moved that is where an act fails, whole, and not half-way. No command after it can be refused: types are
-- our own, and the streams take the numbers that the pool's row counts, written last in the same step.

local KEPT_MESSAGES, KEPT_HISTORY, KEPT_CHANGES = 500, 50, 10000
-- Streams that only keep what is new are cut now and then: to look at every entry costs as much as to add it.
local CUT_EACH = 64
-- What an HSET of a row may come to.
local ROOM = 40
local NOTHING = {}

-- A command on a key that may not have been read.
function T.put(t, command, key, ...)
  t.writes[#t.writes + 1] = { command, key, ... }
  t.unread[#t.unread + 1] = key
end

local function put_made(t, made)
  t.writes[#t.writes + 1] = made
  t.unread[#t.unread + 1] = made[2]
end

-- One HSET of the members that changed, and of the collections, or an HDEL of those that are empty now.
local function put_row(t, row)
  -- As long from the start as it can come to be: to grow costs more than all the rest.
  local set, size = { 'HSET', row.key, unpack(NOTHING, 1, ROOM) }, 2
  local was, names = row.was, row.layout.fields
  for i = 1, row.layout.members do
    local value = row[names[i]]
    if value ~= was[i] then
      if i <= row.layout.numbers then
        value = T.int(value)
      elseif value == true or value == false then
        value = value and '1' or '0'
      end
      set[size + 1], set[size + 2], size = names[i], value, size + 2
    end
  end
  for name in pairs(row.dirty) do
    if next(row[name]) then
      set[size + 1], set[size + 2], size = name, cmsgpack.pack(row[name]), size + 2
    else
      T.put(t, 'HDEL', row.key, name)
    end
  end
  if size > 2 then
    t.writes[#t.writes + 1] = set
  end
end

local function put_list(t, kind, id, texts, kept)
  if texts then
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
  put_row(t, row)
  put_list(t, 'messages', row.id, row.messages, KEPT_MESSAGES)
  put_list(t, 'history', row.id, row.history, KEPT_HISTORY)
end

local function put_advisor(t, row)
  put_row(t, row)
  if row.is_new then
    T.put(t, 'ZADD', T.key(t, 'advisors'), '0', row.id)
  end
  local key = T.key(t, 'work_set', row.id)
  for case in pairs(row.work_changed) do
    local item = row.work[case]
    if item then
      T.put(t, 'HSET', key, case, item.text)
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
  local set, drop, setting, dropping = nil, nil, 2, 2
  for member, deadline in pairs(t.timers) do
    if deadline then
      set = set or { 'ZADD', key, unpack(NOTHING, 1, ROOM) }
      set[setting + 1], set[setting + 2], setting = T.int(deadline), member, setting + 2
    else
      drop = drop or { 'ZREM', key, unpack(NOTHING, 1, ROOM) }
      drop[dropping + 1], dropping = member, dropping + 1
    end
  end
  if set then
    put_made(t, set)
  end
  if drop then
    put_made(t, drop)
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
  put_made(t, places)
  put_made(t, stamps)
  -- Only to wake whoever waits for work. Old entries cost nobody anything, but to drop each at once does.
  if math.floor(t.pool.stamp / CUT_EACH) > math.floor(t.pool.was[4] / CUT_EACH) then
    T.put(t, 'XADD', T.key(t, 'calls'), 'MAXLEN', '=', '1', T.int(t.pool.stamp) .. '-0', 'e', '')
  else
    T.put(t, 'XADD', T.key(t, 'calls'), T.int(t.pool.stamp) .. '-0', 'e', '')
  end
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
  t.pool.dirty = NOTHING
  put_row(t, t.pool)
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
  local keys = { T.key(t, 'outbox'), T.key(t, 'changes'), T.key(t, 'heads') }
  local size = 3
  for _, key in ipairs(t.unread) do
    size = size + 1
    keys[size] = key
  end
  for _, push in ipairs(t.pushes) do
    size = size + 1
    keys[size] = push.key
  end
  redis.call('EXISTS', unpack(keys))
end

local function add_entries(t)
  for _, entry in ipairs(t.entries) do
    redis.call('XADD', T.key(t, 'outbox'), T.int(entry[1]) .. '-0', 'e', entry[2])
  end
  for _, change in ipairs(t.changes) do
    local key, id = T.key(t, 'changes'), T.int(change[1]) .. '-0'
    if change[1] % CUT_EACH == 0 then
      redis.call('XADD', key, 'MAXLEN', '~', T.int(KEPT_CHANGES), id, 'e', change[2])
    else
      redis.call('XADD', key, id, 'e', change[2])
    end
  end
end

function T.commit(t)
  put_all(t)
  if #t.writes == 0 then
    return
  end
  touch_keys(t)
  -- The streams come first: an id that isn't greater than the last would be refused, with nothing written yet.
  add_entries(t)
  for _, write in ipairs(t.writes) do
    redis.call(unpack(write))
  end
  push_lists(t)
  follow_heads(t)
end
