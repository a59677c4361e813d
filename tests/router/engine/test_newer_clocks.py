"""What only a newer version knows of a case's clocks and timers goes through every plan of this one."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from router.contract.case import CaseDetail, CaseState, CaseStatus, Clock, Pending, read_detail, write_detail
from router.contract.ids import AccountId, CaseId, ConversationId, InquiryId, ReplyId
from router.engine import plans
from router.engine.plans import Scene
from router.engine.roster import Roster
from rules import Verdict
from tests.suites.stage import rulebook

RULES = rulebook()
T0 = 1_000_000
SCENE = Scene(rulebook=RULES, now_ms=T0 + 5_000)
NEWER = {
    "warn.handling|0": T0 + 90_000,
    "breach.handling|0": T0 + 99_000,
    "invented|0": T0 + 80_000,
    "other.thing|x|y": T0 + 1,
}
HANDLING = Clock(target_ms=99_000, running_since_ms=T0)
VERDICT = Verdict(queue="general", policy="standard", ladder="standard", rulebook=RULES.hash)
OPENED = CaseDetail(
    account=AccountId("a"),
    origin=InquiryId("i"),
    customer="c",
    verdict=VERDICT,
    placed_at_ms=T0,
    clocks={"handling": HANDLING},
)


def case(status: CaseStatus = CaseStatus.ASSIGNED, detail: CaseDetail = OPENED) -> CaseState:
    return CaseState(
        id=CaseId("c1"),
        state=status,
        ver=3,
        gen=1,
        conversation=ConversationId("t"),
        channel="email",
        units=10,
        opened_at_ms=T0,
        changed_at_ms=T0,
        owner="mina",
        timers=NEWER,
        detail=write_detail(detail),
    )


WAITS = Pending(on="customer", since_ms=T0)
CHANGES: dict[str, Callable[[CaseState], CaseDetail]] = {
    "nothing": lambda state: read_detail(state.detail),
    "assigned": lambda state: plans.assigned(state, OPENED, SCENE),
    "unassigned": lambda state: plans.unassigned(state, OPENED, SCENE),
    "written to": lambda state: plans.written_to(state, SCENE),
    "pended": lambda state: plans.pended(state, WAITS, SCENE),
    "taken up": lambda state: plans.taken_up(state, replace(OPENED, pending=WAITS), SCENE),
    "brought back": lambda state: plans.brought_back(state, SCENE, Roster()),
    "replied": lambda state: plans.replied(state, ReplyId("r"), "mina", SCENE),
    "resolved": lambda state: plans.resolved(state, "solved", SCENE),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_clock_and_its_timers_stay(change: Callable[[CaseState], CaseDetail]) -> None:
    state = case()
    after = change(state)
    assert after.clocks["handling"].target_ms == HANDLING.target_ms
    plan = plans.plan(state, after, SCENE)
    assert plan.timers.keys().isdisjoint(NEWER)
    assert '"handling"' in (plan.detail or "")
