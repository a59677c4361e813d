-- move: the case ends here and goes on in another pool.
-- Keys: conversation, messages, case, history, timers, meta, outbox, advisor, work_set, changes, work, stamps,
-- calls, line, heads.

function T.acts.move(t, act)
  local row, answer = T.current_open(t)
  if not row then
    return answer
  end
  local owner = row.owner
  local talk = T.conversation(t, row.conversation)
  T.begin(t, row, act.plan, act.claim)
  T.let_go(t, row)
  row.state = 'moved'
  local told = { about = owner, notices = act.notices, handovers = { act.handover }, final = true }
  local answer = T.settle(t, row, 'done', told)
  T.forget(t, row)
  talk.moved_to = act.to_pool
  t.talks[talk.id] = talk
  return answer
end
