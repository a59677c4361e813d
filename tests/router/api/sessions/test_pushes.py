from typing import Any

import msgspec
import pytest

from router.api.sessions.pushes import Step, concerned, steps
from router.contract.advisor import AdvisorState, Work, WorkKind
from router.contract.case import SentReply
from router.contract.events import EventType
from router.contract.ids import AdvisorId, CaseId, ReplyId
from tests.suites.wire_cases import case_event

OFFER, CASE, WRAP = WorkKind.OFFER, WorkKind.CASE, WorkKind.WRAP_UP


def state(ver: int, gen: int = 1, **work: WorkKind) -> AdvisorState:
    entries = {case: Work(units=10, channel="chat", kind=kind) for case, kind in work.items()}
    return AdvisorState(id=AdvisorId("minji"), ver=ver, gen=gen, work=entries)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (state(1), state(2), []),
        (state(1), state(2, a=OFFER), [("a", None, OFFER)]),
        (state(1, a=OFFER), state(2, a=OFFER), []),
        (state(1, a=OFFER), state(2, a=CASE), [("a", OFFER, CASE)]),
        (state(1, a=OFFER), state(2), [("a", OFFER, None)]),
        (state(1, a=CASE), state(2, a=CASE, b=OFFER), [("b", None, OFFER)]),
        (state(1, a=CASE), state(2, a=WRAP), [("a", CASE, WRAP)]),
        (state(1, a=CASE, b=OFFER), state(2, b=CASE), [("a", CASE, None), ("b", OFFER, CASE)]),
        # Versions in between were missed: the offer may be another one, the case at hand is the same.
        (state(1, a=OFFER, b=CASE), state(5, a=OFFER, b=CASE), [("a", OFFER, OFFER)]),
        (state(4, a=OFFER), state(5, gen=2, a=OFFER), [("a", OFFER, OFFER)]),
        # The store was rebuilt: an act of his may be lost, or he was shown an old copy's case meanwhile.
        (state(4, a=CASE, b=CASE), state(4, gen=2, a=CASE), [("b", CASE, None), ("a", CASE, CASE)]),
    ],
)
def test_two_work_sets_tell_what_came_and_went(
    before: AdvisorState, after: AdvisorState, told: list[tuple[str, WorkKind | None, WorkKind | None]]
) -> None:
    assert list(steps(before, after)) == [Step(CaseId(case), old, new) for case, old, new in told]


REPLY = ReplyId("r1")


@pytest.mark.parametrize(
    ("kind", "outcome", "about", "case", "told"),
    [
        (EventType.ADMIT, "appended", "i2", {"owner": "minji"}, "minji"),
        (EventType.ADMIT, "returned", "i2", {"owner": "minji"}, "minji"),
        (EventType.ADMIT, "appended", "i2", {"owner": ""}, ""),
        (EventType.ADMIT, "queued", "i2", {"owner": "minji"}, ""),
        (EventType.NOTE, "done", "", {"owner": "minji"}, ""),
        (EventType.DELIVERED, "done", "r1=failed", {"owner": "minji", "state": "failed"}, "minji"),
        (EventType.DELIVERED, "done", "r1=unknown", {"owner": "minji", "state": "unknown"}, "minji"),
        (EventType.DELIVERED, "done", "r1=sent", {"owner": "minji", "state": "sent"}, ""),
        # The case is resolved by now: whoever had it last has to know.
        (EventType.DELIVERED, "done", "r1=failed", {"owner": "", "last_advisor": "jiwoo", "state": "failed"}, "jiwoo"),
        (EventType.DELIVERED, "done", "r9=failed", {"owner": "minji", "state": "failed"}, ""),
    ],
)
def test_an_event_is_pushed_to_whom_it_concerns(
    kind: EventType, outcome: str, about: str, case: dict[str, Any], told: str
) -> None:
    event = case_event(kind)
    sent = SentReply(id=REPLY, at_ms=1, state=case.get("state", "sending"))
    members = {name: value for name, value in case.items() if name != "state"}
    post_state = msgspec.structs.replace(event.case, replies=(sent,), **members)
    assert concerned(msgspec.structs.replace(event, outcome=outcome, about=about, case=post_state)) == told
