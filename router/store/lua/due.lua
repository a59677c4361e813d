-- due: timers whose time has come are fired or handed out.
-- Keys: advisor, case, history, timers, meta, outbox.

local MAX_DUE = 10

local function subject_of(t, member)
  local kind, id, timer = string.match(member, '^([^|]*)|([^|]*)|(.*)$')
  if kind == 'c' then
    return kind, id, timer, T.case(t, id)
  end
  return kind, id, timer, T.advisor(t, id)
end

local function fires_here(kind, timer)
  return kind == 'c' and (string.sub(timer, 1, 5) == 'warn.' or string.sub(timer, 1, 7) == 'breach.')
end

-- Whether it may wait while memory is very short: it only tells.
local function may_wait(kind, timer)
  return fires_here(kind, timer) or kind == 'c' and string.sub(timer, 1, 5) == 'step|'
end

-- The claim is the effect: disarmed and told in one step.
local function fire(t, row, timer, late_ms, put_off)
  local cause = put_off and ': memory was short' or ''
  local reason = late_ms > 0 and 'late by ' .. T.int(late_ms) .. ' ms' .. cause or nil
  T.begin(t, row, nil, { timer })
  local _, number = T.settle(t, row, 'done', { about = timer, reason = reason })
  return number
end

-- A timer whose time has come fires, or is handed out; its claim, and the number of its event.
local function serve(t, act, due)
  local row, timer = due.row, due.timer
  local was_put_off = due.score > due.deadline
  local late_ms = t.now - due.deadline
  if not was_put_off and late_ms < T.LATE_MS then
    late_ms = 0
  end
  local fired, put_off, number = fires_here(due.kind, timer), due.deadline, nil
  if fired then
    number = fire(t, row, timer, late_ms, was_put_off)
  else
    put_off = t.now + (act.retry_ms or 1000)
    T.arm(t, row, timer, put_off)
  end
  return {
    subject = due.kind, id = due.id, timer = timer, due_ms = due.deadline, deadline_ms = put_off, fired = fired,
    late_ms = late_ms, put_off = was_put_off,
  }, number
end

function T.acts.due(t, act)
  local claims, number, waiting = {}, 0, 0
  local limit = math.max(0, math.min(act.limit or MAX_DUE, MAX_DUE))
  local key, now = T.key(t, 'timers'), T.int(t.now)
  local found = redis.call('ZRANGEBYSCORE', key, '-inf', now, 'WITHSCORES', 'LIMIT', 0, limit)
  for i = 1, #found, 2 do
    local member, score = found[i], tonumber(found[i + 1])
    local kind, id, timer, row = subject_of(t, member)
    -- The row says when. One that was put off stands later in the line, and never earlier.
    local deadline = row and row.timers[timer]
    if not deadline or deadline > score then
      t.timers[member] = false
    elseif t.is_very_short and may_wait(kind, timer) then
      t.timers[member] = t.now + T.PUT_OFF_MS
      waiting = waiting + 1
    else
      local due = { kind = kind, id = id, timer = timer, row = row, score = score, deadline = deadline }
      local claim, told = serve(t, act, due)
      claims[#claims + 1] = claim
      number = told or number
    end
  end
  return T.map({ result = 'done', number = number, claims = claims, put_off = waiting })
end
