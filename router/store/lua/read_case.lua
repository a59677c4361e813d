-- read_case: one case.
-- Keys (read): case.

function T.control.read_case(root, id)
  local row = T.case({ root = root, cases = {} }, id)
  return row and T.case_state(row) or false
end
