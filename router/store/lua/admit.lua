-- admit: an inquiry comes to its case.
-- Keys: fences (read), conversation, messages, case, history, timers, meta, outbox, advisor, work_set, changes,
-- work, stamps, calls, line, heads.

local TAKES_MORE = { queued = true, offered = true, assigned = true, parked = true }

local function has_seen(talk, inquiry)
  for _, seen in ipairs(talk.seen) do
    if seen == inquiry then
      return true
    end
  end
  return false
end

local function open(t, act)
  if act.plan.ver ~= 0 then
    return T.refuse(t, 'conflict')
  end
  -- One mail can come twice and claim another thread the second time; its case must not be overwritten.
  local other = T.case(t, act.case)
  if other then
    return T.refuse(t, 'duplicate', other)
  end
  local row = T.new_case(t, act.case)
  row.state = 'queued'
  row.in_line = false
  row.gen = t.pool.gen
  row.conversation, row.channel, row.units = act.conversation, act.channel, act.units
  row.opened_at_ms = t.now
  row.last_inquiry = act.inquiry
  T.see(t, { id = act.conversation, case = act.case, seen = {}, moved_to = '' }, act.inquiry)
  T.say(row, act.message)
  T.begin(t, row, act.plan)
  local result = T.place(t, row, act.plan, T.placing(act), { patient = true })
  return T.settle(t, row, result, { about = act.inquiry, taken = T.holder(row), replies = act.replies })
end

local function note_inquiry(t, act, row, talk)
  T.see(t, talk, act.inquiry)
  T.say(row, act.message)
  row.inquiries = row.inquiries + 1
  row.last_inquiry = act.inquiry
end

local function append(t, act, row, talk)
  local fresh = act.plan.ver == row.ver
  note_inquiry(t, act, row, talk)
  T.begin(t, row, fresh and act.plan or nil)
  if act.fresh and row.state == 'queued' then
    T.dequeue(t, row)
    T.line_up(t, row, act.plan)
  end
  return T.settle(t, row, 'appended', { about = act.inquiry })
end

local function bring_back(t, act, row, talk)
  local owner = row.owner
  note_inquiry(t, act, row, talk)
  T.begin(t, row, act.plan)
  T.weigh(t, row, act.plan.units)
  T.let_go(t, row)
  local result = T.place(t, row, act.plan, T.placing(act), { patient = true, owner = owner })
  if result == 'assigned' and row.owner == owner then
    result = 'returned'
  end
  return T.settle(t, row, result, { about = act.inquiry, taken = T.holder(row), replies = act.replies })
end

-- The answer for an inquiry that may not come in; nil when it may.
local function turned_away(t, act, row, talk)
  if t.is_applied then
    return T.refuse(t, 'duplicate', row)
  end
  if talk and has_seen(talk, act.inquiry) then
    return T.refuse(t, 'duplicate', row)
  end
  if talk and talk.moved_to ~= '' then
    return T.map({ result = 'moved_on', moved_to = talk.moved_to })
  end
  if t.is_short or t.pool.number - t.pool.trimmed >= t.pool.outbox_mark then
    return T.refuse(t, 'full', row)
  end
  return nil
end

function T.acts.admit(t, act)
  local talk = T.conversation(t, act.conversation)
  local row = talk and T.case(t, talk.case) or nil
  local answer = turned_away(t, act, row, talk)
  if answer then
    return answer
  end
  if not row then
    return open(t, act)
  end
  if TAKES_MORE[row.state] and act.fresh and act.plan.ver ~= row.ver then
    return T.refuse(t, 'conflict', row)
  end
  if TAKES_MORE[row.state] then
    return append(t, act, row, talk)
  end
  if act.plan.ver == row.ver then
    return bring_back(t, act, row, talk)
  end
  return T.refuse(t, 'conflict', row)
end
