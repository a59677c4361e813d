-- replan: new due times after a change of calendar or policy: like label, as the plan says.
-- Keys: case, history, timers, meta, outbox, advisor, work_set, changes, work, stamps, calls, line, heads.

T.acts.replan = T.acts.label
