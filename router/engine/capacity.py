"""What a case takes of an advisor's capacity, and for how long. Pure."""

from collections.abc import Sequence
from typing import Final

from router.contract.case import CaseState, CaseStatus
from router.contract.ids import AdvisorId
from rules import Rulebook

_BEGINS: Final = frozenset({"resolve", "transfer"})


def wrap_up_began(history: Sequence[str], advisor: AdvisorId) -> int | None:
    """When he began to wrap a case up, by its history: when he resolved it or handed it on for the last time. None
    where that is too long ago to be kept."""
    for line in reversed(history):
        _, act, _, at_ms, _, about = line.split("|", 5)
        if act in _BEGINS and about == advisor:
            return int(at_ms)
    return None


def wrap_up_left_s(began_ms: int | None, channel: str, rulebook: Rulebook, now_ms: int) -> int:
    """For how many seconds from now a wrap-up that began then may still last."""
    most_ms = rulebook.weight(channel).wrap_up_most_s * 1000
    return 0 if began_ms is None else max(0, began_ms + most_ms - now_ms) // 1000


def wrap_up_until(state: CaseState, rulebook: Rulebook, now_ms: int, *, by: AdvisorId | None) -> int:
    """Until when what the case takes of its owner stays taken once he has resolved it or handed it on; 0 for no
    wrap-up: the channel has none, he wasn't at work on it, or somebody else does so."""
    wrap_up_s = rulebook.weight(state.channel).wrap_up_s
    is_his = state.state is CaseStatus.ASSIGNED and by is not None and state.owner == by
    return now_ms + wrap_up_s * 1000 if is_his and wrap_up_s else 0
