-- Handing a case to somebody, or letting it wait. The same steps as in memory/placing.py.

local MAX_CANDIDATES = 5
-- What an advisor has of a case that he may be handed nonetheless: it takes the place of that.
local GIVES_WAY = { consult = true, ['wrap-up'] = true }
local NOBODY = { candidates = {}, offer_deadline_ms = 0, auto_accept = false, ring = 1 }

function T.placing(act)
  return act.placing or NOBODY
end

-- Whether he is still who the caller judged, and has room for the case, or for a consult on it: above his capacity
-- nobody is asked in, whatever the candidate says.
local function fits(row, advisor, candidate, consult_units)
  if advisor.presence ~= 'online' or advisor.elig ~= candidate.elig then
    return false
  end
  local held = advisor.work[row.id]
  if held and not GIVES_WAY[held.kind] then
    return false
  end
  if candidate.over and not consult_units then
    return true
  end
  return T.has_room(advisor, consult_units or row.units, row.channel, row.id)
end

-- The first candidates who fit, as many as ring at once; the states of those who don't go into the answer.
-- `barred`, if given, says who is passed over; `consult_units`, that it is for a consult.
function T.choose(t, row, placing, barred, consult_units)
  local chosen = {}
  local ring = placing.auto_accept and 1 or placing.ring
  for i = 1, math.min(#placing.candidates, MAX_CANDIDATES) do
    local candidate = placing.candidates[i]
    local advisor = T.advisor(t, candidate.advisor)
    if advisor and not (barred and barred(advisor)) then
      if fits(row, advisor, candidate, consult_units) then
        chosen[#chosen + 1] = advisor
        if #chosen == ring then
          break
        end
      else
        T.show(t, advisor)
      end
    end
  end
  return chosen
end

-- Assign to the one chosen, as the act's plan says for a case that is taken, or offer to all of them. The case must be
-- in no line and nobody's.
function T.hand_to(t, row, chosen, placing)
  row.over = false
  if placing.auto_accept then
    T.reserve(t, row, chosen[1], 'case')
    row.owner = chosen[1].id
    row.state = 'assigned'
    local taken = t.act.plan.taken
    if taken then
      row.detail = taken.detail
      for timer, deadline in pairs(taken.timers) do
        T.arm(t, row, timer, deadline)
      end
    end
    return 'assigned'
  end
  local offers = {}
  for i, advisor in ipairs(chosen) do
    T.reserve(t, row, advisor, 'offer')
    offers[i] = { advisor.id, row.ver, placing.offer_deadline_ms }
  end
  T.set_offers(row, offers)
  row.owner = ''
  row.state = 'offered'
  T.arm(t, row, 'offer|' .. T.int(row.ver), placing.offer_deadline_ms)
  return 'offered'
end

-- Hand over to a candidate, else let it wait.
-- With `how.patient` nobody overtakes: the case's class must be empty, and whom the matcher has yet to serve is
-- left out, since he may be due an older case. Only to `how.owner` it may go all the same: it comes back to him.
function T.place(t, row, plan, placing, how)
  local barred
  if how and how.patient then
    local behind = T.line(t, T.line_key(t, plan)).size > 0
    barred = function(advisor)
      return advisor.id ~= how.owner and (behind or T.has_work(t, 'a|' .. advisor.id))
    end
  end
  local chosen = T.choose(t, row, placing, barred)
  if #chosen > 0 then
    return T.hand_to(t, row, chosen, placing)
  end
  T.enqueue(t, row, plan)
  return 'queued'
end

-- Who has the case now: its owner, or the first it rings at; empty for nobody.
function T.holder(row)
  if row.owner ~= '' then
    return row.owner
  end
  return row.offers[1] and row.offers[1][1] or ''
end

-- Write the plan, with what the case weighs; a waiting case changes to the plan's line.
function T.rewrite(t, row)
  T.begin(t, row, t.act.plan, t.act.claim)
  T.weigh(t, row, t.act.plan.units)
  if row.state == 'queued' then
    T.dequeue(t, row)
    T.line_up(t, row, t.act.plan)
  end
end

function T.rekey(t, row, about)
  T.rewrite(t, row)
  return T.settle(t, row, 'done', { about = about, notices = t.act.notices })
end
