-- close: the reopen window is over: the case is forgotten.
-- Keys: conversation, messages, case, history, timers, meta, outbox.

function T.acts.close(t, act)
  local row = T.case(t, act.case)
  if not row then
    return T.refuse(t, 'absent')
  end
  if row.state ~= 'resolved' or row.timers[act.claim[1]] ~= act.claim[2] then
    return T.refuse(t, 'gone', row)
  end
  T.begin(t, row, nil, act.claim)
  row.state = 'closed'
  local answer = T.settle(t, row, 'done', { final = true })
  T.forget(t, row)
  t.talks[row.conversation] = { id = row.conversation, gone = true }
  return answer
end
