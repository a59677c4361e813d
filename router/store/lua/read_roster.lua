-- read_roster: a page of advisors in the order of their ids, and the last change before it.
-- Keys (read): meta, advisors, advisor, work_set.

local PAGE = 200

function T.control.read_roster(root, cursor)
  local pool = T.pool(root)
  if not pool then
    return false
  end
  local from = cursor == '' and '-' or '(' .. cursor
  local names = redis.call('ZRANGEBYLEX', root .. T.KEY.advisors, from, '+', 'LIMIT', 0, PAGE + 1)
  local states = {}
  for i = 1, math.min(#names, PAGE) do
    states[i] = T.control.read_advisor(root, names[i])
  end
  local plain = { gen = pool.gen, change = pool.change, cursor = #names > PAGE and names[PAGE] or '' }
  return T.map(plain, { advisors = T.array(states) })
end
