-- snooze: timers are put off, as the plan says.
-- Keys: case, history, timers, meta, outbox.

T.acts.snooze = T.mark
