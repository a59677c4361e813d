-- escalate: a step of the ladder; a waiting case changes its class.
-- Keys: case, history, timers, meta, outbox, work, stamps, calls, line, heads.

function T.acts.escalate(t, act)
  local row, answer = T.current(t)
  if not row then
    return answer
  end
  if not T.OPEN[row.state] then
    return T.refuse(t, 'gone', row)
  end
  if act.step == row.step or (act.step < row.step and not act.lower) then
    return T.refuse(t, 'same', row)
  end
  row.step = act.step
  return T.rekey(t, row, T.int(act.step))
end
