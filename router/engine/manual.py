"""What people decide: who is chosen by hand, and which of the filters that overrides. Pure."""

from msgspec.structs import replace

from router.contract.ids import AdvisorId
from router.engine.eligibility import Filter, passing
from router.engine.explain import Explanation
from router.engine.roster import Roster
from router.engine.waiting import WaitClass


def overrides(roster: Roster, waiting: WaitClass, advisor: AdvisorId) -> tuple[str, ...]:
    """The filters that would have kept the case from that advisor; none when he is eligible, all of them when the
    roster doesn't know him."""
    bit = roster.bit(advisor)
    return tuple(str(name) for name in Filter if not bit & passing(roster, waiting, name))


def by_hand(decided: Explanation, roster: Roster, waiting: WaitClass, *, to: AdvisorId, actor: str) -> Explanation:
    """The record of a decision that a person made: whom the rules would have chosen (``decided``), whom he chose, and
    what that overrides."""
    return replace(decided, turn=to, by=actor, overrode=overrides(roster, waiting, to))


def consultable(waiting: WaitClass, *, tier: str, units: int, besides: tuple[str, ...]) -> WaitClass:
    """What is asked of one who gives advice: to serve the queue and speak the language, to be of the tier if one is
    named, room for so many units, and to be none of these."""
    return replace(waiting, units=units, wants=(), tiers=(tier,) if tier else (), excluded=tuple(sorted(besides)))
