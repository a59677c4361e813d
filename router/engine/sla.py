"""SLA clocks: starting, pausing, meeting them, and the timers they need.

Each runs by the calendar of its terms or, without one, in elapsed time. A timer fires exactly once, without anybody
keeping a list of those that have: a deadline ahead is armed; one that has passed is left alone, for it has fired or,
still armed, is about to. Only a change of policy can put a deadline on the other side of now: see ``replanning``.
"""

from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from router.contract.case import Clock, ClockRun
from router.engine.terms import ClockTerms, Terms, own_terms
from rules.calendar import Calendar, NeverOpen
from rules.policies import Clock as Kind
from rules.policies import Cue, PendingOn

FIRST_RESPONSE: Final = str(Kind.FIRST_RESPONSE)
RESOLUTION: Final = str(Kind.RESOLUTION)

PENDING: Final = "pending"
RESOLVED: Final = "resolved"
MET: Final = "met"
KEPT_RUNS: Final = 20

_NEVER_MS: Final = 100 * 366 * 86_400_000
_TELLS: Final = ("warn.", "breach.")
_KINDS: Final = frozenset(map(str, Kind))

Clocks = dict[str, Clock]


def start(terms: Terms, now_ms: int) -> Clocks:
    """The clocks of a new case."""
    return hear({}, Cue.OPENED, terms, now_ms)


def hear(clocks: Clocks, cue: Cue, terms: Terms, now_ms: int) -> Clocks:
    """What a cue stops comes to its end, for good; what it starts begins, from nothing if it had come to an end."""
    changed = dict(clocks)
    for name in (*terms, *(clocks.keys() - terms.keys())):
        clock = clocks.get(name)
        own = own_terms(terms, name, clock) if clock else terms[name]
        if clock is not None and clock.met_at_ms is None and cue in own.conduct.stops:
            clock = _met(name, clock, own, cue, now_ms)
        if name in terms and cue in own.conduct.starts and (clock is None or clock.met_at_ms is not None):
            cycle = clock.cycle + 1 if clock else 0
            clock = _run(Clock(target_ms=own.target_ms, cycle=cycle), now_ms, own.calendar)
        if clock is not None:
            changed[name] = clock
    return changed


def pend(clocks: Clocks, on: PendingOn | str, terms: Terms, now_ms: int) -> Clocks:
    """The case waits for somebody: what stands still for him does so, the rest runs."""
    cue = Cue.PENDED if on == PendingOn.THIRD_PARTY else Cue.BACK
    heard = hear(clocks, cue, terms, now_ms)
    stands = {name: on in own_terms(terms, name, clock).conduct.pause for name, clock in heard.items()}
    return {
        name: _stop(clock, now_ms, own_terms(terms, name, clock).calendar, PENDING)
        if stands[name]
        else _go_on(clock, now_ms, own_terms(terms, name, clock).calendar)
        for name, clock in heard.items()
    }


def stand(clocks: Clocks, terms: Terms, now_ms: int) -> Clocks:
    """All that run stand still, keeping what they have used."""
    return {
        name: _stop(clock, now_ms, own_terms(terms, name, clock).calendar, RESOLVED) for name, clock in clocks.items()
    }


def resume(clocks: Clocks, terms: Terms, now_ms: int) -> Clocks:
    """The case waits for nobody any more: all that aren't met go on with what was left; one that runs is left alone."""
    back = hear(clocks, Cue.BACK, terms, now_ms)
    return {name: _go_on(clock, now_ms, own_terms(terms, name, clock).calendar) for name, clock in back.items()}


def reached(clock: Clock, share: float, calendar: Calendar | None = None) -> int:
    """When a running clock will have used that share of its target. What it has used already lies in the past, and how
    far back means nothing."""
    return will_have_used(clock, int(clock.target_ms * share), calendar)


def will_have_used(clock: Clock, amount_ms: int, calendar: Calendar | None = None) -> int:
    """When a running clock will have used that amount; what it has used already as in ``reached``."""
    assert clock.running_since_ms is not None
    left = amount_ms - clock.used_ms
    if calendar is None or left <= 0:
        return clock.running_since_ms + left
    try:
        return calendar.due(clock.running_since_ms, left)
    except NeverOpen:
        return clock.running_since_ms + _NEVER_MS


def used(clock: Clock, calendar: Calendar | None, now_ms: int) -> int:
    """What the clock has used by now."""
    since = clock.running_since_ms
    if since is None or clock.met_at_ms is not None:
        return clock.used_ms
    return clock.used_ms + max(0, now_ms - since if calendar is None else calendar.worked(since, now_ms))


def deadlines(clocks: Clocks, terms: Terms) -> dict[str, int]:
    """When each warning and breach of the clocks that run is due, by its timer; a policy that is gone has none."""
    wanted: dict[str, int] = {}
    for name, clock in clocks.items():
        own = terms.get(name)
        if own is not None and clock.running_since_ms is not None and clock.met_at_ms is None:
            for timer, amount_ms in amounts(name, clock, own).items():
                wanted[timer] = falls_due(clock, amount_ms, own.calendar)
    return wanted


def falls_due(clock: Clock, amount_ms: int, calendar: Calendar | None) -> int:
    """When the timer of that amount fires: a breach when the target is used up, a warning at the last moment at which
    so much of it is left. If that is over a closing time, it is at the next opening, when somebody is there."""
    left_ms = amount_ms - clock.used_ms
    if amount_ms == clock.target_ms and clock.due_ms is not None:
        return clock.due_ms  # as it was armed, also where another version's calendar says otherwise by now
    if calendar is None or amount_ms >= clock.target_ms or left_ms < 0 or clock.due_at_ms is None:
        return will_have_used(clock, amount_ms, calendar)
    try:
        at_ms = calendar.back(clock.due_at_ms, clock.target_ms - amount_ms)
    except NeverOpen:
        return will_have_used(clock, amount_ms, calendar)
    if left_ms or not clock.runs or clock.running_since_ms is None:
        return at_ms
    # Just so much was used before a pause. What came by then is over; what a pause took away is ahead, if only just.
    since_ms = clock.running_since_ms
    return since_ms if _came_before(clock, amount_ms, calendar) else max(at_ms, since_ms + 1)


def has_come(clock: Clock, amount_ms: int, calendar: Calendar | None, now_ms: int) -> bool:
    """Whether the timer of that amount has been due by now, also while the clock stands still."""
    if clock.running_since_ms is not None:
        return falls_due(clock, amount_ms, calendar) <= now_ms
    return _came_before(clock, amount_ms, None if amount_ms >= clock.target_ms else calendar)


def _came_before(clock: Clock, amount_ms: int, calendar: Calendar | None) -> bool:
    """Whether it was due by the end of the last run: not if that was over the closing time at which just so much was
    used, for then it comes at the opening."""
    if clock.used_ms != amount_ms or calendar is None or not clock.runs:
        return clock.used_ms >= amount_ms
    for run in reversed(clock.runs):
        if run.from_ms < run.to_ms and calendar.is_open(run.to_ms):
            return True
        if run.used_ms:
            break
    return False


def amounts(name: str, clock: Clock, own: ClockTerms) -> dict[str, int]:
    """How much the clock has used when each of its timers fires."""
    warnings = {_warning(name, clock.cycle, index): amount_ms for index, amount_ms in enumerate(own.warn_ms)}
    return warnings | {breach(name, clock): clock.target_ms}


def breach(name: str, clock: Clock) -> str:
    """The timer of a clock's breach."""
    return f"breach.{name}|{clock.cycle}"


def clock_of(timer: str) -> str:
    """The clock of a timer ``breach.<clock>|n`` or ``warn.<clock>|n``."""
    return timer.partition("|")[0].partition(".")[2]


def timers(
    clocks: Clocks, terms: Terms, *, armed: dict[str, int], now_ms: int, fired: Iterable[str] = ()
) -> dict[str, int]:
    """What to arm and disarm so that each running clock warns and breaches, but for those that have ``fired``. Timers
    of clocks that only a newer version knows are left to it."""
    wanted = deadlines(clocks, terms)
    for timer in fired:
        wanted.pop(timer, None)
    changes = {timer: at for timer, at in wanted.items() if at > now_ms and armed.get(timer) != at}
    for timer, at in armed.items():
        if timer.startswith(_TELLS) and timer not in wanted and at > now_ms and clock_of(timer) in _KINDS:
            changes[timer] = 0
    return changes


def due_again(clock: Clock, calendar: Calendar | None) -> Clock:
    """The clock with its due time worked out anew: after its target, or its calendar, has changed."""
    if clock.running_since_ms is None:
        return clock
    due_ms = None if calendar is None else will_have_used(clock, clock.target_ms, calendar)
    return replace(clock, due_ms=due_ms)


def _warning(name: str, cycle: int, index: int) -> str:
    return f"warn.{name}|{cycle}.{index}" if index else f"warn.{name}|{cycle}"


def _met(name: str, clock: Clock, own: ClockTerms, cue: Cue, now_ms: int) -> Clock:
    # A case that is reopened is resolved again: its clock goes on with what was left.
    if cue is Cue.RESOLVED and name == RESOLUTION:
        return _stop(clock, now_ms, own.calendar, RESOLVED)
    return replace(_stop(clock, now_ms, own.calendar, MET), met_at_ms=now_ms)


def _go_on(clock: Clock, now_ms: int, calendar: Calendar | None) -> Clock:
    is_free = clock.met_at_ms is None and clock.running_since_ms is None
    return _run(clock, now_ms, calendar) if is_free else clock


def _run(clock: Clock, now_ms: int, calendar: Calendar | None) -> Clock:
    return due_again(replace(clock, running_since_ms=now_ms), calendar)


def _stop(clock: Clock, now_ms: int, calendar: Calendar | None, ended_by: str) -> Clock:
    since = clock.running_since_ms
    if since is None:
        return clock
    passed = max(0, now_ms - since if calendar is None else calendar.worked(since, now_ms))
    run = ClockRun(from_ms=since, to_ms=max(since, now_ms), used_ms=passed, ended_by=ended_by)
    runs = (*clock.runs, run)[-KEPT_RUNS:]
    return replace(clock, used_ms=clock.used_ms + passed, running_since_ms=None, due_ms=None, runs=runs)
