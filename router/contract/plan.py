"""What the engine hands to an act: whom to try, and what to write if he is taken."""

import msgspec

from router.contract.ids import AdvisorId


class Candidate(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An advisor to try, with the eligibility version he was judged by. ``over``: even above his capacity."""

    advisor: AdvisorId
    elig: int
    over: bool = False


class Taken(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What of a plan is written instead when the act gives the case to an advisor at once: ``timers`` come after the
    plan's own."""

    detail: str
    timers: dict[str, int] = {}


class Plan(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The computed part of an act, good for one version of one case only (0: the case is to be opened).

    ``timers`` maps ``kind|n`` to a deadline to arm, or to 0 to disarm it. ``class_key`` and ``score`` say
    where the case waits if it has to; ``crowded_key`` is used instead when there are too many classes.
    ``detail`` replaces the case's detail; ``why`` the last decision's explanation; None leaves it. ``taken`` holds
    where an act may either let the case wait or give it to somebody. ``units`` is what the case takes of a budget from
    now on; 0 leaves it. Only acts that say so look at it.
    """

    ver: int
    class_key: str = ""
    crowded_key: str = ""
    score: int = 0
    detail: str | None = None
    why: str | None = None
    timers: dict[str, int] = {}
    taken: Taken | None = None
    units: int = 0


class Placing(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How to hand a case to one of the candidates, tried in order, at most five.

    ``ring``: how many are offered at once. ``auto_accept`` makes the offer an assignment in the same act.
    """

    candidates: tuple[Candidate, ...] = ()
    offer_deadline_ms: int = 0
    auto_accept: bool = False
    ring: int = 1
