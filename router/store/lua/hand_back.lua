-- hand_back: a consulted advisor is done, or isn't rung any more.
-- Keys: case, history, timers, meta, outbox, advisor, work_set, changes, work, stamps, calls.

local function take_out(t, row, name)
  T.release(t, row, name)
  local left = {}
  for _, consult in ipairs(row.consults) do
    if consult[1] ~= name then
      left[#left + 1] = consult
    end
  end
  T.set_consults(row, left)
end

function T.acts.hand_back(t, act)
  local row, answer = T.current(t)
  if not row then
    return answer
  end
  local is_rung = T.is_consult(row) and T.is_rung(row, act.advisor)
  if not is_rung and not T.is_consulted(row, act.advisor) then
    return T.refuse(t, 'same', row)
  end
  T.begin(t, row, act.plan, act.claim)
  if is_rung then
    T.withdraw(t, row)
  else
    take_out(t, row, act.advisor)
  end
  return T.settle(t, row, 'done', { about = act.advisor, notices = act.notices })
end
