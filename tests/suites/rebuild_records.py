"""States for tests of a rebuild."""

from typing import Any

from msgspec.structs import replace

from router.contract.case import CaseState, CaseStatus, Offer, write_detail
from router.contract.ids import AdvisorId, CaseId
from router.engine import plans
from router.engine.facts import facts_of
from router.engine.plans import Scene
from rules import judge
from tests.suites.stage import inquiry, rulebook

NOW_MS = 1_760_000_000_000


def case_state(name: str, **members: Any) -> CaseState:
    """A queued case of 10 units, as its inquiry opened it."""
    message, book = inquiry(name), rulebook()
    scene = Scene(rulebook=book, now_ms=NOW_MS)
    detail = plans.opened(message, judge(book, facts_of(message)), scene)
    state = replace(plans.blank(message, 10, NOW_MS), gen=1, ver=1, detail=write_detail(detail))
    return replace(state, id=CaseId(name), **members)


def assigned(name: str, owner: str, **members: Any) -> CaseState:
    return case_state(name, state=CaseStatus.ASSIGNED, owner=owner, **members)


def offered(name: str, *advisors: str, **members: Any) -> CaseState:
    offers = tuple(Offer(advisor=AdvisorId(one), ver=1, deadline_ms=NOW_MS + 30_000) for one in advisors)
    return case_state(name, state=CaseStatus.OFFERED, offers=offers, timers={"offer|1": NOW_MS + 30_000}, **members)
