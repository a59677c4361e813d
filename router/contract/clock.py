"""SLA clocks of a case as they are kept and as they travel."""

import msgspec


class _Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Base of what a clock is made of."""


class ClockRun(_Record, frozen=True, kw_only=True, omit_defaults=True):
    """A stretch in which a clock ran: ``used_ms`` of it counted. ``ended_by``: ``pending``, ``resolved`` or ``met``."""

    from_ms: int
    to_ms: int
    used_ms: int
    ended_by: str = ""


class Clock(_Record, frozen=True, kw_only=True, omit_defaults=True):
    """One SLA clock. It runs while ``running_since_ms`` is set. In elapsed time its due time is that plus what is left;
    in business time it is worked out by the calendar and kept in ``due_ms`` while the clock runs. ``runs`` are the last
    stretches in which it ran; ``used_ms`` is what all of them have used. ``cycle`` counts how often it was
    started anew: the customer wrote again, the case went back to its queue."""

    target_ms: int
    used_ms: int = 0
    running_since_ms: int | None = None
    met_at_ms: int | None = None
    due_ms: int | None = None
    runs: tuple[ClockRun, ...] = ()
    cycle: int = 0

    @property
    def due_at_ms(self) -> int | None:
        """When it breaches, or None while it stands still."""
        if self.running_since_ms is None or self.met_at_ms is not None:
            return None
        return self.running_since_ms + self.target_ms - self.used_ms if self.due_ms is None else self.due_ms


class FinishedClock(_Record, frozen=True, kw_only=True, omit_defaults=True):
    """A clock that has come to its end, by the event of that ``ver``: ``margin_ms`` was left of its target, or, when it
    isn't above 0, it was missed by so much. In the clock's own time."""

    clock: str
    ver: int
    at_ms: int
    target_ms: int
    margin_ms: int
    policy: str = ""


class DueMove(_Record, frozen=True, kw_only=True, omit_defaults=True):
    """Where a due time was and is; None while the clock stands still, or isn't there."""

    was_ms: int | None = None
    now_ms: int | None = None


class Replanned(_Record, frozen=True, kw_only=True, omit_defaults=True):
    """A change of policy or calendar that reached a case: the rulebook that made it, the clocks whose target or due
    time it moved, and those that were overdue at once by it. ``policy`` is the one it brought, in the place of
    ``policy_was``, if it is another."""

    at_ms: int
    rulebook: str
    policy: str = ""
    policy_was: str = ""
    moved: dict[str, DueMove] = {}
    overdue: tuple[str, ...] = ()
