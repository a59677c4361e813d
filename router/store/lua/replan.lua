-- replan: new due times after a change of calendar or policy.
-- Keys: case, history, timers, meta, outbox, advisor, work_set, changes, work, stamps, calls, line, heads.

function T.acts.replan(t, act)
  local row, answer = T.current(t)
  if not row then
    return answer
  end
  return T.rekey(t, row)
end
