"""Who must not have a case: by the rules, by the customer's wish, or by a person's word. Pure.

What is said once holds through the case's life, in whatever queue it is, until a supervisor takes it back or gives the
case to that advisor himself.
"""

from collections.abc import Iterable
from functools import reduce
from operator import and_
from typing import Final, NamedTuple

from msgspec.structs import replace

from router.contract.case import CaseDetail, CaseState, CaseStatus, read_detail
from router.contract.climb import KEPT_REASON_BYTES
from router.contract.exclusion import KEPT_EXCLUSIONS, MOST_BY_PEOPLE, MOST_EXCLUDED, Exclusion
from router.contract.limits import cut
from router.engine.eligibility import Filter, passing
from router.engine.roster import Roster
from router.engine.waiting import WaitClass
from rules import Verdict
from rules.exclusion import LAST_ADVISOR

_MOST_RULES: Final = 3
_AT_HAND: Final = frozenset({CaseStatus.ASSIGNED, CaseStatus.PARKED})


def holder(state: CaseState, detail: CaseDetail) -> str:
    """Who has the case, or had it last; empty when nobody ever had."""
    return state.owner or detail.last_advisor


class Wish(NamedTuple):
    """Whom a person keeps a case from: those named, and with ``someone_else`` who has it, or had it last."""

    advisors: tuple[str, ...] = ()
    someone_else: bool = False

    def heeded(self, state: CaseState, now_ms: int, *, by: str, reason: str, present: str = "") -> CaseDetail:
        """The case as he wants it. ``present`` is who he means by someone else, if not who has it; of whom it remembers
        that he had it."""
        detail = read_detail(state.detail)
        if self.someone_else and state.owner:
            detail = replace(detail, last_advisor=state.owner)
        who = (present or holder(state, detail),) if self.someone_else else ()
        return exclude(detail, (*self.advisors, *who), now_ms, by=by, reason=reason)


NO_WISH: Final = Wish()


def exclude(
    detail: CaseDetail,
    advisors: Iterable[str],
    now_ms: int,
    *,
    by: str = "",
    reason: str = "",
    rules: tuple[str, ...] = (),
) -> CaseDetail:
    """The case without these, and kept for none of them; as it is if they are excluded already. None is added beyond
    the most that a case can have."""
    new = [name for name in dict.fromkeys(advisors) if name and name not in detail.excluded]
    new = new[: max(0, MOST_EXCLUDED - len(detail.excluded))]
    if not new:
        return detail
    said = [
        Exclusion(advisor=name, at_ms=now_ms, by=by, reason=cut(reason, KEPT_REASON_BYTES), rules=rules) for name in new
    ]
    is_held = detail.held_for in new
    return replace(
        detail,
        excluded=tuple(sorted((*detail.excluded, *new))),
        exclusions=(*detail.exclusions, *said)[-KEPT_EXCLUSIONS:],
        held_for="" if is_held else detail.held_for,
        held_until_ms=None if is_held else detail.held_until_ms,
    )


def lift(detail: CaseDetail, advisors: Iterable[str], now_ms: int, *, by: str, reason: str = "") -> CaseDetail:
    """The case which these may have again; as it is if none of them was excluded."""
    freed = [name for name in dict.fromkeys(advisors) if name in detail.excluded]
    if not freed:
        return detail
    said = [
        Exclusion(advisor=name, at_ms=now_ms, by=by, reason=cut(reason, KEPT_REASON_BYTES), lifted=True)
        for name in freed
    ]
    return replace(
        detail,
        excluded=tuple(name for name in detail.excluded if name not in freed),
        exclusions=(*detail.exclusions, *said)[-KEPT_EXCLUSIONS:],
    )


def judged(detail: CaseDetail, verdict: Verdict, now_ms: int) -> CaseDetail:
    """The case without whom a verdict on one of its messages excludes."""
    if not verdict.exclude:
        return detail
    names = [detail.last_advisor if name == LAST_ADVISOR else name for name in verdict.exclude]
    rules = tuple(each.rule for each in verdict.reasons if "exclude" in each.set)[:_MOST_RULES]
    return exclude(detail, names, now_ms, rules=rules)


def climbed(state: CaseState, detail: CaseDetail, names: tuple[str, ...], now_ms: int, *, step: str) -> CaseDetail:
    """The case without whom a step of its ladder excludes; ``step`` names it."""
    who = [holder(state, detail) if name == LAST_ADVISOR else name for name in names]
    return exclude(detail, who, now_ms, rules=(step,))


def is_with_excluded(state: CaseState, detail: CaseDetail) -> bool:
    """Whether somebody who must not have the case works on it or is offered it. Who has it and waits for somebody
    doesn't work on it: it comes back to another."""
    if state.state is CaseStatus.OFFERED:
        return any(offer.advisor in detail.excluded for offer in state.offers)
    return state.state in _AT_HAND and state.owner in detail.excluded


def waits_for_the_excluded(roster: Roster, waiting: WaitClass) -> bool:
    """Whether nobody who is there could have the cases of a class, and somebody who is excluded could but for that,
    room or not."""
    if not waiting.excluded:
        return False
    others = (passing(roster, waiting, name) for name in Filter if name not in (Filter.EXCLUDED, Filter.ROOM))
    able = reduce(and_, others, roster.everyone)
    return bool(able) and not able & passing(roster, waiting, Filter.EXCLUDED)


def is_too_many(detail: CaseDetail, advisors: Iterable[str]) -> bool:
    """Whether these are more than people may exclude, with those who are excluded already."""
    return len({*detail.excluded, *advisors}) > MOST_BY_PEOPLE
