-- label: labels change, and with them what a case weighs; they are in the plan's detail.
-- Keys: case, history, timers, meta, outbox, advisor, work_set, changes, work, stamps, calls, line, heads.

function T.acts.label(t)
  local row, answer = T.current(t)
  if not row then
    return answer
  end
  return T.rekey(t, row)
end
