-- decline: an advisor gives an offer back.
-- Keys: case, history, timers, meta, outbox, advisor, work_set, changes, work, stamps, calls, line, heads.

function T.acts.decline(t, act)
  local row, answer = T.current(t)
  if not row then
    return answer
  end
  if not T.has_offer(row, act.advisor, act.offer_ver) then
    return T.refuse(t, 'gone', row)
  end
  T.begin(t, row, act.plan, act.claim)
  T.advisor(t, act.advisor).missed = 0
  local told = { about = act.advisor, notices = act.notices }
  if T.is_consult(row) then
    return T.go_on(t, row, told)
  end
  T.release(t, row, act.advisor)
  local left = {}
  for _, offer in ipairs(row.offers) do
    if offer[1] ~= act.advisor then
      left[#left + 1] = offer
    end
  end
  T.set_offers(row, left)
  if #left > 0 then
    return T.settle(t, row, 'offered', told)
  end
  T.arm(t, row, 'offer|' .. T.int(act.offer_ver), 0)
  T.enqueue(t, row, act.plan)
  return T.settle(t, row, 'queued', told)
end
