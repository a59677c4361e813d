-- presence: an advisor's presence or connections change.
-- Keys: advisor, work_set (read), advisors, timers, changes, work, stamps, calls, meta, outbox.

-- The names of his leases, in an order of their own: to see whether a connection came or went.
local function leases(advisor)
  local names = {}
  for timer in pairs(advisor.timers) do
    if string.sub(timer, 1, 6) == 'lease|' then
      names[#names + 1] = timer
    end
  end
  table.sort(names)
  return names
end

-- Count connections in and out; whether one came or went (a renewed lease is nobody else's business).
local function connect(t, act, advisor)
  local before = leases(advisor)
  if (act.connect or 0) ~= 0 then
    T.arm(t, advisor, 'lease|' .. T.int(act.connect), act.lease_ms or 0)
    T.arm(t, advisor, 'grace|0', 0)
    T.arm(t, advisor, 'left|0', 0)
  end
  if (act.disconnect or 0) ~= 0 then
    T.arm(t, advisor, 'lease|' .. T.int(act.disconnect), 0)
  end
  local after = leases(advisor)
  local grace_ms = act.grace_ms or 0
  if #before > 0 and #after == 0 and grace_ms ~= 0 then
    T.arm(t, advisor, 'grace|0', grace_ms)
  end
  return table.concat(before, ' ') ~= table.concat(after, ' ')
end

function T.acts.presence(t, act)
  local advisor, answer = T.found(t, T.advisor(t, act.advisor))
  if not advisor then
    return answer
  end
  if act.claim and advisor.timers[act.claim[1]] ~= act.claim[2] then
    T.show(t, advisor)
    return T.refuse(t, 'gone')
  end
  local changed = connect(t, act, advisor)
  if act.claim then
    T.arm(t, advisor, act.claim[1], 0)
  end
  if (act.left_ms or 0) ~= 0 then
    T.arm(t, advisor, 'left|0', act.left_ms)
  end
  local presence, reason = advisor.presence, advisor.reason
  if act.presence then
    presence, reason = act.presence, act.reason
  end
  local away_from = act.away_from and T.joined(act.away_from) or advisor.away_from
  if presence == 'offline' then
    away_from = ''
  end
  if presence == advisor.presence and reason == advisor.reason and away_from == advisor.away_from then
    return T.quiet(t, advisor, changed)
  end
  advisor.away_from = away_from
  T.set_presence(t, advisor, presence, reason)
  return T.announce(t, advisor, presence)
end
