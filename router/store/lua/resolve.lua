-- resolve: the work is done; all capacity is free.
-- Keys: case, history, timers, meta, outbox, advisor, work_set, changes, work, stamps, calls, line, heads.

function T.acts.resolve(t, act)
  local row, answer = T.current(t)
  if not row then
    return answer
  end
  if row.state == 'resolved' then
    return T.refuse(t, 'same', row)
  end
  if T.given(act.advisor) and row.owner ~= act.advisor then
    return T.refuse(t, 'not_yours', row)
  end
  if T.given(act.seen) and row.last_inquiry ~= act.seen then
    return T.refuse(t, 'unseen', row)
  end
  local owner = row.owner
  T.begin(t, row, act.plan, act.claim)
  if (act.wrap_up_ms or 0) ~= 0 then
    T.wrap_up(t, row, act.wrap_up_ms)
  end
  T.let_go(t, row)
  row.state = 'resolved'
  row.over = false
  return T.settle(t, row, 'done', { about = owner, notices = act.notices })
end
