-- read_advisor: one advisor with his work set.
-- Keys (read): advisor, work_set.

function T.control.read_advisor(root, id)
  local row = T.advisor({ root = root, advisors = {} }, id)
  return row and T.advisor_state(row) or false
end
