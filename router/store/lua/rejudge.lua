-- rejudge: a new verdict, a step of relaxation, or the end of a cool-down or hold.
-- Keys: case, history, timers, meta, outbox, advisor, work_set, changes, work, stamps, calls, line, heads.

function T.acts.rejudge(t, act)
  local row, answer = T.current_open(t)
  if not row then
    return answer
  end
  return T.rekey(t, row, act.about)
end
