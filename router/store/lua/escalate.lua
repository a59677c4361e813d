-- escalate: a step of the ladder; a waiting case changes its class, one that somebody has may be taken from him.
-- Keys: case, history, messages, timers, meta, outbox, advisor, work_set, changes, work, stamps, calls, line, heads.

-- Who comes in beside the owner, or is rung to; one is rung at a time.
local function asked_in(t, row, act, placing)
  if act.take or row.state ~= 'assigned' or (#row.offers > 0 and not placing.auto_accept) then
    return nil
  end
  return T.choose_beside(t, row, placing, row.units)
end

function T.acts.escalate(t, act)
  local row, answer = T.current_open(t)
  if not row then
    return answer
  end
  if T.given(act.advisor) and row.owner ~= act.advisor then
    return T.refuse(t, 'not_yours', row)
  end
  if act.step == row.step or (act.step < row.step and not act.lower) then
    return T.refuse(t, 'same', row)
  end
  T.weigh(t, row, act.plan.units)
  local placing, about = T.placing(act), T.int(act.step)
  local asked = asked_in(t, row, act, placing)
  row.step = act.step
  if T.given(act.message) then
    T.note(row, act.message)
  end
  if act.take then
    T.begin(t, row, act.plan, act.claim)
    T.let_go(t, row)
    T.enqueue(t, row, act.plan)
    return T.settle(t, row, 'queued', { about = about, notices = act.notices })
  end
  T.rewrite(t, row)
  local is_in = asked and T.ask_in(t, row, asked, placing, row.units) == 'done'
  return T.settle(t, row, 'done', { about = about, taken = is_in and asked.id or nil, notices = act.notices })
end
