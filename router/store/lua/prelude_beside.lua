-- Who comes in beside the owner. The same steps as in memory/consulting.py.

local MOST_CONSULTS = 8

-- Whether what rings, if anything does, is a consult: somebody has the case.
function T.is_consult(row)
  return row.state ~= 'offered'
end

function T.is_rung(row, name)
  for _, offer in ipairs(row.offers) do
    if offer[1] == name then
      return true
    end
  end
  return false
end

-- The first candidate who may come in beside the owner; nil as well when as many are in, or rung, as can be.
function T.choose_beside(t, row, placing, units)
  if #row.consults + #row.offers >= MOST_CONSULTS then
    return nil
  end
  return T.choose(t, row, placing, function(advisor)
    return T.is_consulted(row, advisor.id)
  end, units)[1]
end

-- He is in on the case from now on.
function T.bring_in(t, row, advisor, units)
  T.reserve(t, row, advisor, 'consult', units)
  row.consults[#row.consults + 1] = { advisor.id, units }
  T.set_consults(row, row.consults)
end

function T.ring_beside(t, row, advisor, placing, units)
  local deadline = placing.offer_deadline_ms
  T.reserve(t, row, advisor, 'consult-offer', units)
  T.set_offers(row, { { advisor.id, row.ver, deadline, units } })
  T.arm(t, row, 'offer|' .. T.int(row.ver), deadline)
end

-- He is in at once, or rung; which.
function T.ask_in(t, row, advisor, placing, units)
  if placing.auto_accept then
    T.bring_in(t, row, advisor, units)
    return 'done'
  end
  T.ring_beside(t, row, advisor, placing, units)
  return 'offered'
end

-- Who is rung comes in; the end of an act that has begun.
function T.join(t, row, name)
  local units = row.offers[1][4] or row.units
  T.withdraw(t, row, name)
  local advisor = T.advisor(t, name)
  advisor.missed = 0
  T.bring_in(t, row, advisor, units)
  return T.settle(t, row, 'done', { about = name })
end

-- A consult that came to nothing with one rings at the next, if there is one; the end of an act that has begun.
function T.go_on(t, row, told)
  local units = row.offers[1][4] or row.units
  T.withdraw(t, row)
  local placing = T.placing(t.act)
  local asked = T.choose_beside(t, row, placing, units)
  if not asked then
    return T.settle(t, row, 'done', told)
  end
  T.ring_beside(t, row, asked, placing, units)
  return T.settle(t, row, 'offered', told)
end
