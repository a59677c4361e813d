-- note: an internal note.
-- Keys: messages, case, history, timers, meta, outbox.

function T.acts.note(t, act)
  local row, answer = T.found(t, T.case(t, act.case))
  if not row then
    return answer
  end
  if t.is_short then
    return T.refuse(t, 'full', row)
  end
  T.begin(t, row)
  T.note(row, act.message)
  return T.settle(t, row, 'done')
end
