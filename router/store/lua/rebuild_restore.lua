-- rebuild_restore: some cases and advisors are put back. What is there already is left alone.
-- Keys: rebuild, case, messages, history, conversation, timers, line, heads, advisor, advisors, work_set, work,
-- stamps, calls, meta, outbox.

local function fill(row, state)
  local names = row.layout.fields
  for i = 1, row.layout.members do
    if state[names[i]] ~= nil then
      row[names[i]] = state[names[i]]
    end
  end
  row.has_changed = true
end

local function arm_all(t, row, timers)
  for timer, deadline in pairs(timers or {}) do
    T.arm(t, row, timer, deadline)
  end
end

local function put_offers(row, state)
  local offers, consults = {}, {}
  for i, offer in ipairs(state.offers or {}) do
    offers[i] = { offer.advisor, offer.ver, offer.deadline_ms, offer.units }
  end
  for advisor, units in pairs(state.consults or {}) do
    consults[#consults + 1] = { advisor, units }
  end
  T.set_offers(row, offers)
  T.set_consults(row, consults)
end

local function listed(texts)
  return texts and #texts > 0 and texts or nil
end

local function put_case(t, restored)
  local state = restored.state
  if T.case(t, state.id) then
    return
  end
  local row = T.new_case(t, state.id)
  fill(row, state)
  put_offers(row, state)
  arm_all(t, row, state.timers)
  row.messages, row.history = listed(restored.messages), listed(restored.history)
  if listed(restored.operations) then
    row.operations, row.dirty.operations = restored.operations, true
  end
  t.talks[row.conversation] = { id = row.conversation, case = row.id, seen = restored.seen or {}, moved_to = '' }
  if row.state == 'queued' then
    T.line_up(t, row, { class_key = row.class_key, crowded_key = '', score = row.score })
  end
  if restored.requeued then
    -- An assigned or parked case has lost what rang of it beside its owner only.
    T.emit(t, row.state == 'queued' and 'queued' or 'returned', '', {}, '\164case', T.case_state(row))
  end
end

local function put_advisor(t, state)
  if T.advisor(t, state.id) then
    return
  end
  local row = T.new_advisor(t, state.id)
  fill(row, state)
  row.caps, row.dirty.caps = state.caps or {}, true
  row.away_from = T.joined(state.away_from or {})
  for case, item in pairs(state.work or {}) do
    row.work[case] = T.work_item(T.int(item.units) .. '|' .. item.channel .. '|' .. item.kind)
    row.work_changed[case] = true
  end
  arm_all(t, row, state.timers)
  if row.presence == 'online' then
    T.stamp(t, 'a|' .. row.id)
  end
end

function T.control.rebuild_restore(root, want)
  local rebuild = T.my_rebuild(root, want.epoch)
  if not rebuild then
    return cmsgpack.pack(false)
  end
  local pool = T.pool(root)
  -- Entries of the outbox name the gen that the pool will have; its row keeps 0.
  pool.gen = rebuild.gen
  local t = T.start(root, 'requeue', { op = '', actor = '', reason = 'rebuilt' }, pool)
  for _, restored in ipairs(want.cases) do
    put_case(t, restored)
  end
  for _, state in ipairs(want.advisors) do
    put_advisor(t, state)
  end
  T.put(t, 'HSET', root .. T.KEY.rebuild, 'done', T.int(rebuild.done + #want.cases + #want.advisors),
    'until_ms', T.int(T.witness(t) + want.lease_ms))
  T.commit(t)
  return cmsgpack.pack(true)
end
