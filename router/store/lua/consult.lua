-- consult: another advisor is asked in; the owner stays.
-- Keys: case, history, timers, meta, outbox, advisor, work_set, changes, work, stamps, calls.

-- Who he is must be as judged; what he may hold besides the case is asked with the units of the consulting.
local function fits(row, advisor, act)
  return T.fits(row, advisor, { elig = act.elig, over = true })
    and T.has_room(advisor, act.units, row.channel)
end

function T.acts.consult(t, act)
  local row, answer = T.current(t)
  if not row then
    return answer
  end
  if row.state ~= 'assigned' or row.owner ~= act.advisor then
    return T.refuse(t, 'not_yours', row)
  end
  if T.is_consulted(row, act.candidate) then
    return T.refuse(t, 'same', row)
  end
  local advisor = T.advisor(t, act.candidate)
  if not advisor or advisor.id == row.owner then
    return T.refuse(t, 'refused', row)
  end
  if not fits(row, advisor, act) then
    T.show(t, advisor)
    return T.refuse(t, 'refused', row)
  end
  T.begin(t, row, act.plan, act.claim)
  T.reserve(t, row, advisor, 'consult', act.units)
  row.consults[#row.consults + 1] = { act.candidate, act.units }
  T.set_consults(row, row.consults)
  return T.settle(t, row, 'done', { about = act.candidate, notices = act.notices })
end
