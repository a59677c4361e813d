-- Rows: what a pool holds, read from its hashes into tables.
--
-- A row remembers in `was` what its hash holds, so that only members that changed are written. `offers`,
-- `consults`, `timers`, `caps` and `operations` are small bounded collections, each packed into one field, which
-- keeps their order; a field is absent while its collection is empty.
--
-- Rows are made by one constructor: a table that grows member by member costs several times as much, and acts are
-- mostly made of rows.

-- The fields of a hash in the order in which rows remember them: numbers, then texts (these are the members, which
-- are written when they change), then what is packed.
local function layout(fields, numbers, defaults, members)
  local made = { fields = fields, numbers = numbers, defaults = defaults, members = members, place = {} }
  for i = 1, #fields do
    made.place[fields[i]] = i
  end
  return made
end

local CASE = layout({
  'gen', 'ver', 'units', 'opened_at_ms', 'changed_at_ms', 'score', 'step', 'inquiries', 'state', 'conversation',
  'channel', 'class_key', 'owner', 'last_inquiry', 'detail', 'why', 'over', 'offers', 'consults', 'timers',
  'operations',
}, 8, { 0, 0, 0, 0, 0, 0, 0, 1, '', '', '', '', '', '', '{}', 'null', false, false, false, false, false }, 17)

local ADVISOR = layout({
  'gen', 'ver', 'elig', 'budget', 'idle_since_ms', 'online_since_ms', 'missed', 'presence', 'reason', 'profile',
  'away_from', 'caps', 'timers', 'operations',
}, 7, { 0, 0, 0, 100, 0, 0, 0, 'offline', '', '{}', '', false, false, false }, 11)

local POOL = layout({
  'now', 'change', 'number', 'stamp', 'queued', 'gen', 'format', 'trimmed', 'outbox_mark', 'max_classes',
  'level', 'looked', 'verified',
}, 5, {}, 5)

-- What a hash holds, typed, in the order of the layout's fields; nil when there is no such key.
local function read(key, as)
  -- Most fields are there, and naming them all would cost more than getting their names.
  local flat = redis.call('HGETALL', key)
  if not flat[1] then
    return nil
  end
  local place, numbers = as.place, as.numbers
  local values = { unpack(as.defaults) }
  for i = 1, #flat, 2 do
    local at = place[flat[i]]
    if at then
      values[at] = at <= numbers and tonumber(flat[i + 1]) or flat[i + 1]
    end
  end
  return values
end

local function unpacked(bytes)
  return bytes and cmsgpack.unpack(bytes) or {}
end

-- The pool's numbers, and the life of the server that it was verified under; nil when there is no such pool.
function T.pool(root)
  local key = root .. T.KEY.meta
  local was = redis.call('HMGET', key, unpack(POOL.fields))
  if not was[6] then
    return nil
  end
  for i = 1, #POOL.fields - 1 do -- the last is a text
    was[i] = tonumber(was[i] or '0')
  end
  return {
    key = key, layout = POOL, was = was, now = was[1], change = was[2], number = was[3], stamp = was[4],
    queued = was[5], gen = was[6], format = was[7], trimmed = was[8],
    outbox_mark = was[9], max_classes = was[10], level = was[11], looked = was[12], verified = was[13],
  }
end

local function case_row(t, id, was)
  local row = {
    kind = 'c', id = id, key = T.key(t, 'case', id), layout = CASE, was = was, dirty = {},
    gen = was[1], ver = was[2], units = was[3], opened_at_ms = was[4], changed_at_ms = was[5], score = was[6],
    step = was[7], inquiries = was[8], state = was[9], conversation = was[10], channel = was[11],
    class_key = was[12], owner = was[13], last_inquiry = was[14], detail = was[15], why = was[16], over = was[17],
    offers = unpacked(was[18]), consults = unpacked(was[19]), timers = unpacked(was[20]), packed_operations = was[21],
    -- A case is in a waiting line just while it is queued.
    in_line = was[9] == 'queued',
    -- Filled by acts.
    operations = nil, messages = nil, history = nil, has_changed = false, gone = false,
  }
  t.cases[id] = row
  return row
end

function T.new_case(t, id)
  return case_row(t, id, CASE.defaults)
end

-- The case, or nil. One table for an id however often it is asked for.
function T.case(t, id)
  local row = t.cases[id]
  if row == nil then
    local was = read(T.key(t, 'case', id), CASE)
    if was then
      was[17] = was[17] == '1'
    end
    row = was and case_row(t, id, was) or false
    t.cases[id] = row
  end
  return row or nil
end

local function advisor_row(t, id, was, work)
  local row = {
    kind = 'a', id = id, key = T.key(t, 'advisor', id), layout = ADVISOR, was = was, dirty = {},
    gen = was[1], ver = was[2], elig = was[3], budget = was[4], idle_since_ms = was[5], online_since_ms = was[6],
    missed = was[7], presence = was[8], reason = was[9], profile = was[10], away_from = was[11],
    caps = unpacked(was[12]), timers = unpacked(was[13]), packed_operations = was[14],
    work = work, work_changed = {},
    -- Filled by acts.
    operations = nil, packed = nil, has_changed = false, is_touched = false, is_shown = false, is_new = false,
  }
  t.advisors[id] = row
  return row
end

function T.new_advisor(t, id)
  local row = advisor_row(t, id, ADVISOR.defaults, {})
  row.is_new = true
  return row
end

-- The advisor with his work set, or nil.
function T.advisor(t, id)
  local row = t.advisors[id]
  if row == nil then
    local was = read(T.key(t, 'advisor', id), ADVISOR)
    row = was and advisor_row(t, id, was, T.work_set(redis.call('HGETALL', T.key(t, 'work_set', id)))) or false
    t.advisors[id] = row
  end
  return row or nil
end

-- The conversation, or nil: its case, the inquiries seen, the pool it moved to.
function T.conversation(t, id)
  local found = redis.call('HMGET', T.key(t, 'conversation', id), 'case', 'seen', 'moved_to')
  if not found[1] then
    return nil
  end
  return { id = id, case = found[1], seen = unpacked(found[2]), moved_to = found[3] or '' }
end

-- Seldom needed, so unpacked only for an act that carries an operation id.
function T.operations(row)
  if not row.operations then
    row.operations = unpacked(row.packed_operations)
  end
  return row.operations
end
