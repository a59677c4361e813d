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

-- The claim is the effect: disarmed and told in one step.
local function fire(t, row, timer)
  T.begin(t, row, nil, { timer })
  local _, number = T.settle(t, row, 'done', { about = timer })
  return number
end

function T.acts.due(t, act)
  local claims, number = {}, 0
  local limit = math.max(0, math.min(act.limit or MAX_DUE, MAX_DUE))
  local key, now = T.key(t, 'timers'), T.int(t.now)
  local found = redis.call('ZRANGEBYSCORE', key, '-inf', now, 'WITHSCORES', 'LIMIT', 0, limit)
  for i = 1, #found, 2 do
    local member, deadline = found[i], tonumber(found[i + 1])
    local kind, id, timer, row = subject_of(t, member)
    if not row or row.timers[timer] ~= deadline then
      t.timers[member] = false
    else
      local fired = fires_here(kind, timer)
      local put_off = deadline
      if fired then
        number = fire(t, row, timer)
      else
        put_off = t.now + (act.retry_ms or 1000)
        T.arm(t, row, timer, put_off)
      end
      claims[#claims + 1] = {
        subject = kind, id = id, timer = timer, due_ms = deadline, deadline_ms = put_off, fired = fired,
      }
    end
  end
  return T.map({ result = 'done', number = number, claims = claims })
end
