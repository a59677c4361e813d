-- profile: an advisor's profile is set; an unknown one is made.
-- Keys: advisor, work_set (read), advisors, changes, work, stamps, calls, meta, outbox.

local function is_same(advisor, act, caps)
  return advisor.profile == act.profile and advisor.budget == act.budget and T.same(advisor.caps, caps)
end

function T.acts.profile(t, act)
  local caps = act.caps or {}
  local advisor = T.advisor(t, act.advisor)
  if advisor then
    local again = T.repeated(t, advisor)
    if again then
      return again
    end
    if is_same(advisor, act, caps) then
      T.show(t, advisor)
      return T.refuse(t, 'same')
    end
  else
    advisor = T.new_advisor(t, act.advisor)
    advisor.gen = t.pool.gen
    advisor.idle_since_ms = t.now
  end
  advisor.profile, advisor.budget, advisor.caps = act.profile, act.budget, caps
  advisor.dirty.caps = true
  advisor.elig = advisor.elig + 1
  T.touch(t, advisor)
  T.stamp(t, 'a|' .. advisor.id)
  return T.announce(t, advisor, 'profile')
end
