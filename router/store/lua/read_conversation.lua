-- read_conversation: the case of a conversation.
-- Keys (read): conversation, case.

function T.control.read_conversation(root, id)
  local case = redis.call('HGET', root .. T.KEY.conversation .. id, 'case')
  return case and T.control.read_case(root, case)
end
