-- delivered: what became of a reply.
-- Keys: case, history, timers, meta, outbox.

function T.acts.delivered(t, act)
  local row, answer = T.current(t)
  if not row then
    return answer
  end
  T.begin(t, row, act.plan, act.claim)
  return T.settle(t, row, 'done', { about = act.reply .. '=' .. act.state, notices = act.notices })
end
