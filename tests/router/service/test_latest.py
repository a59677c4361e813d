"""What is remembered of cases: the newest, for a while, so many."""

import pytest
from msgspec.structs import replace

from router.contract.case import CaseState, CaseStatus
from router.contract.ids import CaseId, ConversationId
from router.service.latest import MAX_AGE_MS, Latest

CASE = CaseId("c1")


def state(ver: int, *, case: str = "c1", gen: int = 1, status: CaseStatus = CaseStatus.ASSIGNED) -> CaseState:
    return CaseState(
        id=CaseId(case),
        state=status,
        ver=ver,
        gen=gen,
        conversation=ConversationId("talk"),
        channel="email",
        units=10,
        opened_at_ms=1_000,
        changed_at_ms=1_000,
    )


@pytest.mark.parametrize(
    ("shown", "kept"),
    [
        ([], None),
        ([state(1)], (1, 1)),
        ([state(1), state(2)], (1, 2)),
        ([state(2), state(1)], (1, 2)),
        ([state(9), state(1, gen=2)], (2, 1)),
        ([state(1, gen=2), state(9)], (2, 1)),
        ([state(1), state(2, status=CaseStatus.RESOLVED)], (1, 2)),
        ([state(1), state(2, status=CaseStatus.CLOSED)], None),
        ([state(1), state(2, status=CaseStatus.MOVED)], None),
    ],
)
def test_the_newest_state_is_kept_until_the_case_is_gone(shown: list[CaseState], kept: tuple[int, int] | None) -> None:
    latest = Latest()
    for each in shown:
        latest.see(each)
    found = latest.get(CASE, now_ms=1_000)
    assert (found and (found.gen, found.ver)) == kept


def test_what_was_seen_longest_ago_goes_first() -> None:
    latest = Latest(limit=2)
    for case in ("c1", "c2", "c1", "c3"):
        latest.see(state(1, case=case))
    assert len(latest) == 2
    assert [case for case in ("c1", "c2", "c3") if latest.get(CaseId(case), now_ms=1_000)] == ["c1", "c3"]


def test_a_state_of_long_ago_is_not_told() -> None:
    latest = Latest()
    latest.see(state(1))
    assert latest.get(CASE, now_ms=1_000 + MAX_AGE_MS) is not None
    assert latest.get(CASE, now_ms=1_001 + MAX_AGE_MS) is None
    latest.see(replace(state(2), changed_at_ms=2_000 + MAX_AGE_MS))
    assert latest.get(CASE, now_ms=2_000 + MAX_AGE_MS) is not None


def test_everything_can_be_forgotten() -> None:
    latest = Latest()
    latest.see(state(1))
    latest.forget()
    assert len(latest) == 0
    assert latest.get(CASE, now_ms=1_000) is None
