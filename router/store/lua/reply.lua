-- reply: the customer is answered.
-- Keys: messages, case, history, timers, meta, outbox.

function T.acts.reply(t, act)
  local row, answer = T.current(t)
  if not row then
    return answer
  end
  local by = act.advisor or ''
  if by ~= '' and by ~= row.owner and not T.is_consulted(row, by) then
    return T.refuse(t, 'not_yours', row)
  end
  T.begin(t, row, act.plan, act.claim)
  T.say(row, act.message)
  return T.settle(t, row, 'done', { about = by, replies = { act.reply }, notices = act.notices })
end
