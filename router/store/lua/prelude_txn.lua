-- One act in progress: the steps that acts are made of, by the same names as in memory/txn.py.
--
-- Steps change tables only. Nothing is written before the act has come to its answer and the answer is packed
-- (prelude_commit.lua), so whatever can fail fails before the first write.

local KEPT_OPERATIONS, KEPT_INQUIRIES = 8, 64
local NOTHING = {}

local LOOKING = { queued = true, offered = true }
-- The timer of the next step of relaxation: only for a case that nobody has, which a plan can't foresee.
local RELAX = 'relax|0'

T.OPEN = { queued = true, offered = true, assigned = true, parked = true, pending = true }

function T.start(root, name, act, pool)
  return {
    root = root, name = name, act = act, pool = pool, now = pool.now,
    cases = {}, advisors = {}, talks = {}, lines = {}, new_classes = 0, stamps = {}, stamped = {}, timers = {},
    touched = {}, shown = {}, present = nil, is_applied = nil, is_short = nil, is_very_short = nil, entries = {},
    changes = {}, writes = {}, unread = {}, pushes = {},
  }
end

-- Answers -------------------------------------------------------------------------------------------------

local function advisors(t)
  if #t.shown == 0 then
    return nil
  end
  local states = {}
  for i, row in ipairs(t.shown) do
    states[i] = row.packed or T.advisor_state(row)
  end
  return T.array(states)
end

-- An answer: plain members, at most 13, and the states of a case and of advisors, packed.
function T.answer(plain, case, states)
  local bytes = cmsgpack.pack(plain)
  if case and states then
    return T.longer(bytes, 2) .. '\164case' .. case .. '\168advisors' .. states
  elseif case then
    return T.longer(bytes, 1) .. '\164case' .. case
  elseif states then
    return T.longer(bytes, 1) .. '\168advisors' .. states
  end
  return bytes
end

-- Nothing happens: the case as found, and the advisors who were looked at.
function T.refuse(t, result, row, head)
  return T.answer({ result = result, head = head }, row and T.case_state(row), advisors(t))
end

-- The answer this operation id got before, with the state as it is now; nil for a new one.
function T.repeated(t, row)
  if t.act.op == '' then
    return nil
  end
  for _, seen in ipairs(T.operations(row)) do
    if seen[1] == t.act.op then
      local told = { result = seen[2], number = seen[3], repeated = true }
      if row.kind == 'c' then
        return T.answer(told, T.case_state(row))
      end
      return T.answer(told, nil, T.array({ T.advisor_state(row) }))
    end
  end
  return nil
end

-- The act's case or advisor, if it is there and the act is new; or nil and the answer that ends the act.
function T.found(t, row)
  if not row then
    return nil, T.refuse(t, 'absent')
  end
  local again = T.repeated(t, row)
  if again then
    return nil, again
  end
  return row
end

-- End an act on a case: history, changed advisors, event with the post-state, operation id.
-- `told` may hold about, taken, reason, final, replies, notices, handovers.
function T.settle(t, row, result, told)
  told = told or NOTHING
  local about = told.about or ''
  row.changed_at_ms = t.now
  if row.timers[RELAX] and not LOOKING[row.state] then
    T.arm(t, row, RELAX, 0)
  end
  row.history = row.history or {}
  row.history[#row.history + 1] =
    T.int(row.ver) .. '|' .. t.name .. '|' .. result .. '|' .. T.int(t.now) .. '|' .. t.act.actor .. '|' .. about
  T.flush(t)
  for _, advisor in ipairs(t.present or NOTHING) do
    T.emit(t, advisor.presence, advisor.id, NOTHING, '\167advisor', advisor.packed)
  end
  local state = T.case_state(row)
  local number = T.emit(t, result, about, told, '\164case', state, row.notes)
  T.remember(t, row, result, number)
  local taken = T.given(told.taken) and told.taken or nil
  return T.answer({ result = result, number = number, taken = taken }, state, advisors(t)), number
end

function T.remember(t, row, result, number)
  if t.act.op == '' then
    return
  end
  local seen = T.operations(row)
  seen[#seen + 1] = { t.act.op, result, number }
  if #seen > KEPT_OPERATIONS then
    table.remove(seen, 1)
  end
  row.dirty.operations = true
end

-- What isn't there, or is empty, is left out of an entry.
local function listed(texts)
  return texts and #texts > 0 and texts or nil
end

local function told_of(text)
  return text ~= '' and text or nil
end

-- Put an entry into the outbox; its number. `state` is its member `case` or `advisor`, packed as its name is.
function T.emit(t, outcome, about, told, name, state, notes)
  local pool, act = t.pool, t.act
  pool.number = pool.number + 1
  local plain = cmsgpack.pack({
    number = pool.number, gen = pool.gen, kind = t.name, at_ms = t.now, outcome = outcome,
    actor = told_of(act.actor), about = told_of(about), reason = told.reason or told_of(act.reason), final = told.final,
    replies = listed(told.replies), notices = listed(told.notices), handovers = listed(told.handovers),
    notes = listed(notes), op = name == '\164case' and told_of(act.op) or nil,
  })
  t.entries[#t.entries + 1] = { pool.number, T.longer(plain, 1) .. name .. state }
  return pool.number
end

-- Cases ---------------------------------------------------------------------------------------------------

-- The case as the plan knows it; or nil and the answer that ends the act: absent, repeated, full, gone, conflict.
function T.current(t)
  local act = t.act
  local row, answer = T.found(t, T.case(t, act.case))
  if not row then
    return nil, answer
  end
  if t.is_short then
    return nil, T.refuse(t, 'full', row)
  end
  if act.claim and row.timers[act.claim[1]] ~= act.claim[2] then
    return nil, T.refuse(t, 'gone', row)
  end
  if act.plan.ver ~= row.ver then
    return nil, T.refuse(t, 'conflict', row)
  end
  return row
end

-- The same of a case that work may still be done on.
function T.current_open(t)
  local row, answer = T.current(t)
  if row and not T.OPEN[row.state] then
    return nil, T.refuse(t, 'gone', row)
  end
  return row, answer
end

-- The version, then the claim is spent, then what the plan says.
-- The plan comes last: the end of one cool-down arms the same timer for the next.
function T.begin(t, row, plan, claim)
  row.ver = row.ver + 1
  row.has_changed = true
  if claim then
    T.arm(t, row, claim[1], 0)
  end
  if plan then
    row.detail = plan.detail or row.detail
    row.why = plan.why or row.why
    for timer, deadline in pairs(plan.timers) do
      T.arm(t, row, timer, deadline)
    end
  end
end

-- Arm a timer (`kind|n`) of a case or an advisor; a deadline of 0 disarms. Arming again moves it.
function T.arm(t, row, timer, deadline)
  local armed = deadline ~= 0 and deadline or nil
  row.timers[timer] = armed
  row.dirty.timers = true
  row.has_changed = true
  t.timers[row.kind .. '|' .. row.id .. '|' .. timer] = armed or false
end

function T.say(row, message)
  row.messages = row.messages or {}
  row.messages[#row.messages + 1] = message
end

-- An internal note: besides, it goes out with the event, as no other topic has it.
function T.note(row, message)
  T.say(row, message)
  row.notes = { message }
end

-- Remember an inquiry with its conversation.
function T.see(t, talk, inquiry)
  talk.seen[#talk.seen + 1] = inquiry
  if #talk.seen > KEPT_INQUIRIES then
    table.remove(talk.seen, 1)
  end
  t.talks[talk.id] = talk
end

-- Remove a case, its timers, messages and history.
function T.forget(t, row)
  row.gone = true
  for timer in pairs(row.timers) do
    t.timers['c|' .. row.id .. '|' .. timer] = false
  end
end

-- The waiting line ----------------------------------------------------------------------------------------

-- A class's line with its length, as this act has left it so far.
function T.line(t, class_key)
  local line = t.lines[class_key]
  if not line then
    line = { class_key = class_key, size = redis.call('ZCARD', T.key(t, 'line', class_key)) }
    t.lines[class_key] = line
  end
  return line
end

local function resize(t, class_key, step)
  local line = T.line(t, class_key)
  local before = line.size > 0 and 1 or 0
  line.size = line.size + step
  line.changed = true
  t.new_classes = t.new_classes + (line.size > 0 and 1 or 0) - before
  t.pool.queued = t.pool.queued + step
end

-- How many classes have cases waiting, as this act has left it so far.
local function classes(t)
  return redis.call('HLEN', T.key(t, 'heads')) + t.new_classes
end

-- Let the case wait in the plan's class (or the crowded one), and call the matcher to that class.
function T.enqueue(t, row, plan)
  T.line_up(t, row, plan)
  row.state = 'queued'
  row.owner = ''
  row.over = false
end

-- The class in which a case of that plan would wait now.
function T.line_key(t, plan)
  local is_new = T.line(t, plan.class_key).size == 0
  if is_new and plan.crowded_key ~= '' and classes(t) >= t.pool.max_classes then
    return plan.crowded_key
  end
  return plan.class_key
end

function T.line_up(t, row, plan)
  local class_key = T.line_key(t, plan)
  row.class_key = class_key
  row.score = plan.score
  row.in_line = true
  resize(t, class_key, 1)
  T.put(t, 'ZADD', T.key(t, 'line', class_key), T.int(row.score), row.id)
  T.stamp(t, 'k|' .. class_key)
end

-- Take the case out of its line; does nothing when it isn't in one.
function T.dequeue(t, row)
  if row.in_line then
    resize(t, row.class_key, -1)
    T.put(t, 'ZREM', T.key(t, 'line', row.class_key), row.id)
    row.in_line = false
  end
  row.class_key = ''
end

-- Ask for the matcher: a fresh stamp, the place of the first.
function T.stamp(t, item)
  t.pool.stamp = t.pool.stamp + 1
  local seen = t.stamps[item]
  if seen then
    seen.stamp = t.pool.stamp
  else
    t.stamps[item] = { place = t.pool.stamp, stamp = t.pool.stamp }
    t.stamped[#t.stamped + 1] = item
  end
end

-- Whether the matcher has yet to serve that item.
function T.has_work(t, item)
  return t.stamps[item] ~= nil or redis.call('HEXISTS', T.key(t, 'stamps'), item) == 1
end
