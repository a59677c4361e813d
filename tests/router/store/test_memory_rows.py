"""Rows in memory: what a state says of them."""

import msgspec
import pytest

from router.contract.advisor import AdvisorState, Presence, Work, WorkKind
from router.contract.case import CaseState, CaseStatus, Offer
from router.contract.ids import AdvisorId, CaseId, ConversationId
from router.store.memory.rows import AdvisorRow, CaseRow

CASE = CaseRow(
    id=CaseId("c"),
    state=CaseStatus.PARKED,
    gen=2,
    conversation=ConversationId("talk"),
    channel="chat",
    units=3,
    opened_at_ms=4,
    changed_at_ms=5,
    ver=6,
    score=7,
    class_key="key",
    owner="ann",
    offers=[Offer(advisor=AdvisorId("bob"), ver=1, deadline_ms=9)],
    consults={"cy": 10},
    timers={"park|0": 11},
    step=12,
    over=True,
    inquiries=13,
    last_inquiry="i",
    detail="[]",
    why="{}",
)
ADVISOR = AdvisorRow(
    id=AdvisorId("ann"),
    gen=1,
    ver=2,
    elig=3,
    presence=Presence.AWAY,
    reason="lunch",
    budget=4,
    caps={"chat": 5},
    idle_since_ms=6,
    online_since_ms=7,
    missed=8,
    work={"c": Work(units=9, channel="chat", kind=WorkKind.CASE)},
    timers={"left|0": 10},
    profile="[]",
    away_from=("call",),
)


@pytest.mark.parametrize(("row", "kind"), [(CASE, CaseState), (ADVISOR, AdvisorState)])
def test_a_state_says_all_that_its_row_does(row: CaseRow | AdvisorRow, kind: type[CaseState | AdvisorState]) -> None:
    said = row.snapshot()
    for field in msgspec.structs.fields(kind):
        value = getattr(row, field.name)
        assert getattr(said, field.name) == (tuple(value) if isinstance(value, list) else value), field.name
        assert field.default is msgspec.NODEFAULT or value != field.default, (
            f"{field.name} must differ from its default"
        )


def test_a_state_stays_as_it_was_when_its_row_changes() -> None:
    row = AdvisorRow(id=AdvisorId("ann"), gen=1)
    said = row.snapshot()
    row.work["c"] = Work(units=9, channel="chat", kind=WorkKind.CASE)
    row.caps["chat"] = row.timers["left|0"] = 1
    assert (said.work, said.caps, said.timers) == ({}, {}, {})
