"""What a case takes of an advisor's capacity, and for how long. Pure."""

from router.contract.case import CaseState, CaseStatus
from router.contract.ids import AdvisorId
from rules import Rulebook


def wrap_up_until(state: CaseState, rulebook: Rulebook, now_ms: int, *, by: AdvisorId | None) -> int:
    """Until when what the case takes of its owner stays taken once he has resolved it or handed it on; 0 for no
    wrap-up: the channel has none, he wasn't at work on it, or somebody else does so."""
    wrap_up_s = rulebook.weight(state.channel).wrap_up_s
    is_his = state.state is CaseStatus.ASSIGNED and by is not None and state.owner == by
    return now_ms + wrap_up_s * 1000 if is_his and wrap_up_s else 0
