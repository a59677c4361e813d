-- follow_up: like pend; the plan arms the timer of the promise.
-- Keys: case, history, timers, meta, outbox, advisor, work_set, changes, work, stamps, calls, line, heads.

T.acts.follow_up = T.acts.pend
