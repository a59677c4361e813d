-- pend: the case waits on somebody else; follow_up is the same with a promise.
-- Keys: case, history, timers, meta, outbox, advisor, work_set, changes, work, stamps, calls, line, heads.

function T.acts.pend(t, act)
  local row, answer = T.current(t)
  if not row then
    return answer
  end
  if not T.given(act.advisor) or row.owner ~= act.advisor then
    return T.refuse(t, 'not_yours', row)
  end
  T.begin(t, row, act.plan, act.claim)
  T.let_go(t, row)
  row.owner = act.advisor
  row.state = 'pending'
  row.over = false
  return T.settle(t, row, 'done', { about = act.advisor, notices = act.notices })
end
