-- Advisors in an act: capacity, presence, and telling the roster.

-- What is beside the owner never puts anybody above his capacity.
local IS_BESIDE = { consult = true, ['consult-offer'] = true }

-- The timer of an advisor that ends his wrap-up of a case.
function T.wrap_up_timer(case)
  return 'wrap_up|' .. case
end

-- The timer of an advisor until which he has parked a case by hand.
function T.park_timer(case)
  return 'park|' .. case
end

local function end_timers(t, case, advisor)
  for _, timer in ipairs({ T.wrap_up_timer(case), T.park_timer(case) }) do
    if advisor.timers[timer] then
      T.arm(t, advisor, timer, 0)
    end
  end
end

-- Put the case into the advisor's work set, or change what it is there for. The matcher is called to him when he has
-- more room by that: he wrapped it up, and is asked in for less.
function T.reserve(t, row, advisor, kind, units)
  local size, before = units or row.units, advisor.work[row.id]
  end_timers(t, row.id, advisor)
  if not IS_BESIDE[kind] and not T.has_room(advisor, size, row.channel, row.id) then
    row.over = true
  end
  advisor.work[row.id] = T.work_item(T.int(size) .. '|' .. row.channel .. '|' .. kind)
  advisor.work_changed[row.id] = true
  advisor.idle_since_ms = t.now
  T.touch(t, advisor)
  if before and before.kind ~= 'parked' and before.units > size then
    T.stamp(t, 'a|' .. advisor.id)
  end
end

local AT_HAND = { case = true, offer = true, parked = true }

-- One who has the case or is offered it; whether it doesn't fit with him any more.
local function weigh_with(t, row, name, is_lighter)
  local advisor = T.advisor(t, name)
  local item = advisor and advisor.work[row.id]
  if not item or not AT_HAND[item.kind] then
    return false
  end
  advisor.work[row.id] = T.work_item(T.int(row.units) .. '|' .. item.channel .. '|' .. item.kind)
  advisor.work_changed[row.id] = true
  T.touch(t, advisor)
  if item.kind == 'parked' then
    return false
  end
  if is_lighter then
    T.stamp(t, 'a|' .. advisor.id)
  end
  return not T.has_room(advisor, row.units, row.channel, row.id)
end

-- The case takes so much from now on (0: as before), of whoever has it or is offered it, too. Nobody loses it
-- by that: where it doesn't fit any more, it is `over`. What he lends as one who was asked in stays.
function T.weigh(t, row, units)
  local was = row.units
  if not units or units == 0 or units == was then
    return
  end
  row.units = units
  local is_over = row.owner ~= '' and weigh_with(t, row, row.owner, units < was)
  for _, offer in ipairs(row.offers) do
    is_over = weigh_with(t, row, offer[1], units < was) or is_over
  end
  row.over = is_over and (row.over or units > was)
end

-- Take the case out of an advisor's work set and call the matcher to him; idempotent. What he wraps up stays: it has
-- its own end.
function T.release(t, row, name)
  local advisor = T.advisor(t, name)
  local item = advisor and advisor.work[row.id]
  if item and item.kind ~= 'wrap-up' then
    T.free(t, advisor, row.id)
  end
end

-- An entry of his work set goes: the matcher is called to him.
function T.free(t, advisor, case)
  end_timers(t, case, advisor)
  advisor.work[case] = nil
  advisor.work_changed[case] = true
  advisor.idle_since_ms = t.now
  T.touch(t, advisor)
  T.stamp(t, 'a|' .. advisor.id)
end

-- The owner, with the case at hand turned into something else; nil when he hasn't it at hand.
local function turn(t, row, kind)
  local advisor = row.owner ~= '' and T.advisor(t, row.owner) or nil
  local item = advisor and advisor.work[row.id]
  if not item or item.kind ~= 'case' then
    return nil
  end
  advisor.work[row.id] = T.work_item(T.int(item.units) .. '|' .. item.channel .. '|' .. kind)
  advisor.work_changed[row.id] = true
  advisor.idle_since_ms = t.now
  T.touch(t, advisor)
  return advisor
end

-- What the case takes of its owner stays taken until then; nothing when it takes nothing.
function T.wrap_up(t, row, until_ms)
  local advisor = turn(t, row, 'wrap-up')
  if advisor then
    T.arm(t, advisor, T.wrap_up_timer(row.id), until_ms)
  end
end

-- The case stays in its owner's work set and takes nothing of him, by hand until then if it isn't 0: the matcher is
-- called to him.
function T.park(t, row, until_ms)
  local advisor = turn(t, row, 'parked') or T.advisor(t, row.owner)
  if advisor then
    T.arm(t, advisor, T.park_timer(row.id), until_ms)
    T.touch(t, advisor)
    T.stamp(t, 'a|' .. advisor.id)
  end
end

-- End all offers of the case but one advisor's.
function T.withdraw(t, row, but)
  for _, offer in ipairs(row.offers) do
    T.arm(t, row, 'offer|' .. T.int(offer[2]), 0)
    if offer[1] ~= but then
      T.release(t, row, offer[1])
    end
  end
  T.set_offers(row, {})
end

function T.set_offers(row, offers)
  row.offers = offers
  row.dirty.offers = true
end

function T.set_consults(row, consults)
  row.consults = consults
  row.dirty.consults = true
end

function T.is_consulted(row, name)
  for _, consult in ipairs(row.consults) do
    if consult[1] == name then
      return true
    end
  end
  return false
end

function T.has_offer(row, name, ver)
  for _, offer in ipairs(row.offers) do
    if offer[1] == name and offer[2] == ver then
      return true
    end
  end
  return false
end

-- Free everybody the case takes up: line, offers, owner, consulted advisors.
function T.let_go(t, row)
  T.dequeue(t, row)
  T.withdraw(t, row)
  if row.owner ~= '' then
    T.release(t, row, row.owner)
  end
  for _, consult in ipairs(row.consults) do
    T.release(t, row, consult[1])
  end
  T.set_consults(row, {})
  row.owner = ''
end

-- He changed: one version and one change at the end, however often he is touched.
function T.touch(t, advisor)
  if not advisor.is_touched then
    advisor.is_touched = true
    advisor.has_changed = true
    t.touched[#t.touched + 1] = advisor
  end
end

-- Let the answer carry his state.
function T.show(t, advisor)
  if not advisor.is_shown then
    advisor.is_shown = true
    t.shown[#t.shown + 1] = advisor
  end
end

-- One version and one entry in `changes` for each advisor touched.
function T.flush(t)
  local pool = t.pool
  for _, advisor in ipairs(t.touched) do
    advisor.ver = advisor.ver + 1
    pool.change = pool.change + 1
    advisor.packed = T.advisor_state(advisor)
    advisor.is_touched = false
    local plain = cmsgpack.pack({ number = pool.change, gen = pool.gen })
    t.changes[#t.changes + 1] = { pool.change, T.longer(plain, 1) .. '\167advisor' .. advisor.packed }
    T.show(t, advisor)
  end
  t.touched = {}
end

-- A new presence is a new eligibility; coming online starts his idle time and calls the matcher.
function T.set_presence(t, advisor, presence, reason)
  if presence == 'online' and advisor.presence ~= 'online' then
    advisor.online_since_ms = t.now
    advisor.idle_since_ms = t.now
    advisor.missed = 0
  end
  advisor.presence = presence
  advisor.reason = reason
  t.present = t.present or {}
  t.present[#t.present + 1] = advisor
  advisor.elig = advisor.elig + 1
  T.touch(t, advisor)
  if presence == 'online' then
    T.stamp(t, 'a|' .. advisor.id)
  end
end

-- End an act on an advisor: the roster, the bus and the caller learn of it.
function T.announce(t, advisor, outcome)
  T.flush(t)
  local number = T.emit(t, outcome, advisor.id, {}, '\167advisor', advisor.packed)
  T.remember(t, advisor, 'done', number)
  return T.answer({ result = 'done', number = number }, nil, T.array({ advisor.packed }))
end

-- No new presence: the roster learns of a connection or a wrap-up, the bus of nothing.
function T.quiet(t, advisor, changed)
  if not changed then
    T.show(t, advisor)
    return T.refuse(t, 'same')
  end
  T.touch(t, advisor)
  T.flush(t)
  T.remember(t, advisor, 'done', 0)
  return T.answer({ result = 'done' }, nil, T.array({ advisor.packed }))
end
