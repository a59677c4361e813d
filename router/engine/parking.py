"""Interruptible work: what gives way to a chat or a call, and comes back when there is room again. Pure.

Which advisor is interrupted is decided like any other decision, with the room there would be if all that gives way
were parked; then no more is parked than has to be.
"""

from functools import lru_cache

from router.contract.advisor import AdvisorState, Presence, WorkKind
from router.contract.ids import CaseId
from rules import Rulebook

_NOTHING: frozenset[str] = frozenset()
_WORKS = frozenset({Presence.ONLINE, Presence.FINISHING})


@lru_cache(maxsize=1024)
def gives_way(channel: str, rulebook: Rulebook) -> frozenset[str]:
    """The channels whose cases are parked for one of this channel; none, unless it interrupts."""
    if not rulebook.weight(channel).interrupts:
        return _NOTHING
    return frozenset(name for name, weight in rulebook.channels.items() if weight.interruptible and name != channel)


def to_park(state: AdvisorState, units: int, channel: str, parking: frozenset[str]) -> tuple[CaseId, ...]:
    """The cases of those channels that he parks to have room for so many units, as few as will do: none when he has
    room, and none either when parking doesn't help."""
    if not parking or state.has_room(units, channel) or not state.has_room(units, channel, parking=parking):
        return ()
    at_hand = ((item.units, case) for case, item in state.work.items() if item.may_be_parked(parking))
    parked: list[CaseId] = []
    lacking = state.load + units - state.budget
    for size, case in sorted(at_hand, reverse=True):
        if lacking <= 0:
            break
        parked.append(CaseId(case))
        lacking -= size
    return tuple(parked)


def to_resume(state: AdvisorState) -> CaseId | None:
    """The parked case that he takes up again next: of those that fit, the first by its id; None when he is away or
    has no room. What he has parked by hand isn't among them."""
    if state.presence not in _WORKS:
        return None
    waits = (case for case, item in state.work.items() if item.kind is WorkKind.PARKED)
    parked = sorted(case for case in waits if state.parked_until(case) is None)
    return next((CaseId(case) for case in parked if _fits(state, case)), None)


def _fits(state: AdvisorState, case: str) -> bool:
    item = state.work[case]
    return state.has_room(item.units, item.channel, besides=case)
