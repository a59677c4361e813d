-- expire: ring on no answer.
-- Keys: case, history, timers, meta, outbox, advisor, work_set, changes, work, stamps, calls, line, heads.

-- Whether it was one too many.
local function count_miss(t, name, away_after)
  local advisor = T.advisor(t, name)
  advisor.missed = advisor.missed + 1
  local is_too_many = away_after ~= 0 and advisor.missed >= away_after and advisor.presence == 'online'
  if is_too_many then
    T.set_presence(t, advisor, 'away', 'missed-offers')
  end
  T.touch(t, advisor)
  return is_too_many
end

function T.acts.expire(t, act)
  local row, answer = T.current(t)
  if not row then
    return answer
  end
  local missed = {}
  for _, offer in ipairs(row.offers) do
    if offer[2] == act.offer_ver then
      missed[#missed + 1] = offer[1]
    end
  end
  if #missed == 0 then
    return T.refuse(t, 'gone', row)
  end
  T.begin(t, row, act.plan, act.claim)
  local notices = act.notices or {}
  for _, name in ipairs(missed) do
    if count_miss(t, name, act.away_after or 0) then
      for _, notice in ipairs(act.told and act.told[name] or {}) do
        notices[#notices + 1] = notice
      end
    end
  end
  local told = { about = missed[1], notices = notices }
  if T.is_consult(row) then
    return T.go_on(t, row, told)
  end
  T.withdraw(t, row)
  T.enqueue(t, row, act.plan)
  return T.settle(t, row, 'queued', told)
end
