-- Rows: what a pool holds, read from its hashes into tables and told as the states of the contract.
--
-- A row remembers in `raw` what its hash holds, so that only members that changed are written. `offers`,
-- `consults`, `timers`, `caps` and `operations` are small bounded collections, each packed into one field, which
-- keeps their order; a field is absent while its collection is empty.

local CASE = {
  state = '', gen = 0, ver = 0, conversation = '', channel = '', units = 0, opened_at_ms = 0,
  changed_at_ms = 0, score = 0, class_key = '', owner = '', step = 0, over = false, inquiries = 1,
  last_inquiry = '', detail = '{}', why = 'null',
}
-- Members that a state always tells; the others are left out while they hold their default.
local CASE_ALWAYS = {
  'state', 'gen', 'ver', 'conversation', 'channel', 'units', 'opened_at_ms', 'changed_at_ms',
}
local ADVISOR = {
  ver = 0, elig = 0, gen = 0, presence = 'offline', reason = '', budget = 100, idle_since_ms = 0,
  online_since_ms = 0, missed = 0, profile = '{}',
}
local POOL = {
  'gen', 'format', 'now', 'change', 'number', 'trimmed', 'stamp', 'queued', 'outbox_mark', 'max_classes',
}

-- A member as its default is: a number, a text, or a truth.
function T.typed(text, default)
  if text == nil then
    return default
  end
  local kind = type(default)
  if kind == 'number' then
    return tonumber(text)
  end
  if kind == 'boolean' then
    return text == '1'
  end
  return text
end

local typed = T.typed

local function unpacked(bytes)
  return bytes and cmsgpack.unpack(bytes) or {}
end

local function new_row(kind, id, key, members, raw)
  local row = { kind = kind, id = id, key = key, raw = raw, members = members, dirty = {} }
  for name, default in pairs(members) do
    row[name] = typed(raw[name], default)
  end
  row.timers = unpacked(raw.timers)
  return row
end

-- Nothing of Lua's library is there while a library is loaded, not even ipairs.
local POOL_MEMBERS = {}
for i = 1, #POOL do
  POOL_MEMBERS[POOL[i]] = 0
end

-- The pool's numbers; nil when there is no such pool.
function T.pool(root)
  local values = redis.call('HMGET', root .. T.KEY.meta, unpack(POOL))
  if not values[1] then
    return nil
  end
  local pool = { key = root .. T.KEY.meta, raw = {}, members = POOL_MEMBERS, dirty = {} }
  for i, name in ipairs(POOL) do
    local text = values[i] or '0'
    pool.raw[name] = text
    pool[name] = tonumber(text)
  end
  return pool
end

function T.new_case(t, id, raw)
  local row = new_row('c', id, T.key(t, 'case', id), CASE, raw)
  row.offers, row.consults = unpacked(raw.offers), unpacked(raw.consults)
  row.messages, row.history = {}, {}
  -- A case is in a waiting line just while it is queued.
  row.in_line = row.state == 'queued'
  t.cases[id] = row
  return row
end

-- The case, or nil. One table for an id however often it is asked for.
function T.case(t, id)
  local row = t.cases[id]
  if row == nil then
    local raw = T.pairs_of(redis.call('HGETALL', T.key(t, 'case', id)))
    row = raw and T.new_case(t, id, raw) or false
    t.cases[id] = row
  end
  return row or nil
end

function T.new_advisor(t, id, raw, work)
  local row = new_row('a', id, T.key(t, 'advisor', id), ADVISOR, raw)
  row.caps, row.work, row.work_changed = unpacked(raw.caps), {}, {}
  for case, text in pairs(work) do
    local units, channel, kind = string.match(text, '^(-?%d+)|(.*)|([^|]*)$')
    row.work[case] = { units = tonumber(units), channel = channel, kind = kind }
  end
  t.advisors[id] = row
  return row
end

-- The advisor with his work set, or nil.
function T.advisor(t, id)
  local row = t.advisors[id]
  if row == nil then
    local raw = T.pairs_of(redis.call('HGETALL', T.key(t, 'advisor', id)))
    local work = raw and T.pairs_of(redis.call('HGETALL', T.key(t, 'work_set', id))) or {}
    row = raw and T.new_advisor(t, id, raw, work) or false
    t.advisors[id] = row
  end
  return row or nil
end

-- The conversation, or nil: its case, the inquiries seen, the pool it moved to.
function T.conversation(t, id)
  local raw = T.pairs_of(redis.call('HGETALL', T.key(t, 'conversation', id)))
  if not raw then
    return nil
  end
  return { id = id, case = raw.case, seen = unpacked(raw.seen), moved_to = raw.moved_to or '' }
end

-- Seldom needed, so unpacked only for an act that carries an operation id.
function T.operations(row)
  if not row.operations then
    row.operations = unpacked(row.raw.operations)
  end
  return row.operations
end

-- The case as ``CaseState``, packed.
function T.case_state(row)
  local state = { id = row.id }
  for name, default in pairs(CASE) do
    if row[name] ~= default then
      state[name] = row[name]
    end
  end
  for _, name in ipairs(CASE_ALWAYS) do
    state[name] = row[name]
  end
  if #row.offers > 0 then
    state.offers = {}
    for i, offer in ipairs(row.offers) do
      state.offers[i] = { advisor = offer[1], ver = offer[2], deadline_ms = offer[3] }
    end
  end
  if #row.consults > 0 then
    state.consults = {}
    for _, consult in ipairs(row.consults) do
      state.consults[consult[1]] = consult[2]
    end
  end
  state.timers = next(row.timers) and row.timers or nil
  return cmsgpack.pack(state)
end

-- The advisor as ``AdvisorState``, packed.
function T.advisor_state(row)
  local state = { id = row.id }
  for name, default in pairs(ADVISOR) do
    if row[name] ~= default then
      state[name] = row[name]
    end
  end
  state.caps = next(row.caps) and row.caps or nil
  state.work = next(row.work) and row.work or nil
  state.timers = next(row.timers) and row.timers or nil
  return cmsgpack.pack(state)
end

-- Whether a case of that weight fits into the advisor's budget and the channel's cap; `besides` names a case whose
-- present entry would be replaced.
function T.has_room(row, units, channel, besides)
  local held, count = 0, 0
  for case, item in pairs(row.work) do
    if case ~= besides then
      held = held + item.units
      count = count + (item.channel == channel and 1 or 0)
    end
  end
  local cap = row.caps[channel]
  return held + units <= row.budget and (cap == nil or count < cap)
end
