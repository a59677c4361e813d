-- consult: another advisor is asked in, and rung or in at once; the owner stays.
-- Keys: case, history, messages, timers, meta, outbox, advisor, work_set, changes, work, stamps, calls.

-- Whether one of the candidates is in, or rung, already.
local function is_beside(row, placing)
  for _, candidate in ipairs(placing.candidates) do
    if T.is_consulted(row, candidate.advisor) or T.is_rung(row, candidate.advisor) then
      return true
    end
  end
  return false
end

function T.acts.consult(t, act)
  local row, answer = T.current(t)
  if not row then
    return answer
  end
  if row.state ~= 'assigned' or row.owner ~= act.advisor then
    return T.refuse(t, 'not_yours', row)
  end
  local placing = T.placing(act)
  if is_beside(row, placing) then
    return T.refuse(t, 'same', row)
  end
  local asked = #row.offers == 0 and T.choose_beside(t, row, placing, act.units) or nil
  if not asked then
    return T.refuse(t, 'refused', row)
  end
  T.begin(t, row, act.plan, act.claim)
  if T.given(act.message) then
    T.note(row, act.message)
  end
  local result = T.ask_in(t, row, asked, placing, act.units)
  return T.settle(t, row, result, { about = asked.id, notices = act.notices })
end
