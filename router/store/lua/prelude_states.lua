-- States: rows as the structs of the contract, packed; and what an advisor's work set is made of.

local MAX_KNOWN = 1000

-- Entries of work sets by their text (`units|channel|kind`). There are few different ones, each is met again and
-- again, and nobody changes one: they are kept between calls, and forgotten when somebody invents channels.
local known, known_size = {}, 0

-- An entry of a work set, from its text.
function T.work_item(text)
  local item = known[text]
  if not item then
    local units, channel, kind = string.match(text, '^(-?%d+)|(.*)|([^|]*)$')
    item = { units = tonumber(units), channel = channel, kind = kind, text = text }
    item.packed = cmsgpack.pack({ units = item.units, channel = channel, kind = kind })
    if known_size >= MAX_KNOWN then
      known, known_size = {}, 0
    end
    known[text], known_size = item, known_size + 1
  end
  return item
end

-- A flat reply of HGETALL as a table of case and entry.
function T.work_set(flat)
  local work = {}
  for i = 1, #flat, 2 do
    work[flat[i]] = T.work_item(flat[i + 1])
  end
  return work
end

-- Whether a case of that weight fits into the advisor's budget and the channel's cap; `besides` names a case whose
-- present entry would be replaced.
function T.has_room(row, units, channel, besides)
  local held, count = 0, 0
  for case, item in pairs(row.work) do
    if case ~= besides and item.kind ~= 'parked' then
      held = held + item.units
      count = count + (item.channel == channel and 1 or 0)
    end
  end
  local cap = row.caps[channel]
  return held + units <= row.budget and (cap == nil or count < cap)
end

local function offers_of(row)
  if #row.offers == 0 then
    return nil
  end
  local offers = {}
  for i, offer in ipairs(row.offers) do
    offers[i] = { advisor = offer[1], ver = offer[2], deadline_ms = offer[3], units = offer[4] }
  end
  return offers
end

local function consults_of(row)
  if #row.consults == 0 then
    return nil
  end
  local consults = {}
  for _, consult in ipairs(row.consults) do
    consults[consult[1]] = consult[2]
  end
  return consults
end

-- The case as ``CaseState``, packed. Members at their default are left out.
function T.case_state(row)
  return cmsgpack.pack({
    id = row.id, state = row.state, gen = row.gen, ver = row.ver, conversation = row.conversation,
    channel = row.channel, units = row.units, opened_at_ms = row.opened_at_ms, changed_at_ms = row.changed_at_ms,
    score = row.score ~= 0 and row.score or nil,
    class_key = row.class_key ~= '' and row.class_key or nil,
    owner = row.owner ~= '' and row.owner or nil,
    offers = offers_of(row),
    consults = consults_of(row),
    timers = next(row.timers) and row.timers or nil,
    step = row.step ~= 0 and row.step or nil,
    over = row.over or nil,
    inquiries = row.inquiries ~= 1 and row.inquiries or nil,
    last_inquiry = row.last_inquiry ~= '' and row.last_inquiry or nil,
    detail = row.detail,
    why = row.why ~= 'null' and row.why or nil,
  })
end

-- The advisor as ``AdvisorState``, packed; the entries of his work set are packed already. With them there are 15
-- members at the most, which is what ``T.longer`` can count.
function T.advisor_state(row)
  local plain = cmsgpack.pack({
    id = row.id, gen = row.gen, ver = row.ver, elig = row.elig, presence = row.presence, budget = row.budget,
    idle_since_ms = row.idle_since_ms, profile = row.profile,
    reason = row.reason ~= '' and row.reason or nil,
    online_since_ms = row.online_since_ms ~= 0 and row.online_since_ms or nil,
    missed = row.missed ~= 0 and row.missed or nil,
    caps = next(row.caps) and row.caps or nil,
    timers = next(row.timers) and row.timers or nil,
    away_from = row.away_from ~= '' and T.parted(row.away_from) or nil,
  })
  if not next(row.work) then
    return plain
  end
  local entries, size = {}, 0
  for case, item in pairs(row.work) do
    size = size + 1
    entries[size] = cmsgpack.pack(case) .. item.packed
  end
  return T.longer(plain, 1) .. '\164work' .. T.map_of(size) .. table.concat(entries)
end
