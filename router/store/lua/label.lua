-- label: labels change; they are in the plan's detail.
-- Keys: case, history, timers, meta, outbox.

T.acts.label = T.mark
