"""Folding: what the newest record says, whatever comes twice, late, or from a life of before."""

from collections.abc import Sequence

import pytest

from router.contract import topics
from router.contract.advisor import AdvisorState
from router.contract.advisor_record import advisor_bytes
from router.contract.envelope import NUMBER_HEADER, case_event_bytes, case_event_headers, case_of
from router.contract.events import EventType
from router.contract.ids import AdvisorId, PoolId
from router.runtime.bus.protocol import Partition, Record
from router.service.rebuilding.fold import Fold
from tests.suites.rebuild_records import case_state
from tests.suites.stage import POOL

ACT, CLOSE = EventType.LABEL, EventType.CLOSE


def event(gen: int, ver: int, number: int, *, kind: EventType = ACT, pool: PoolId = POOL) -> Record:
    """An event of the case ``c1``."""
    state = case_state("c1", gen=gen, ver=ver)
    value = case_event_bytes(type=kind, pool=pool, state=state, number=number, at_ms=number, outcome="done")
    return record(topics.CASES, "c1", value)


def tombstone(gen: int, ver: int, number: int | None, *, pool: PoolId = POOL) -> Record:
    """The end of the case ``c1``; without a number as an older version wrote it."""
    headers = case_event_headers(type=CLOSE, pool=pool, state=case_state("c1", gen=gen, ver=ver), at_ms=1)
    if number is not None:
        headers = (*headers, (NUMBER_HEADER, str(number).encode()))
    return record(topics.CASES, "c1", None, headers)


def record(topic: str, key: str, value: bytes | None, headers: tuple[tuple[str, bytes], ...] = ()) -> Record:
    return Record(
        partition=Partition(topic, 0), offset=0, epoch=0, key=key, value=value, headers=headers, published_at_ms=1
    )


def folded(records: Sequence[Record]) -> Fold:
    fold = Fold(POOL)
    for each in records:
        fold.take_case(each)
    return fold


def version_of(fold: Fold) -> tuple[int, int] | None:
    """Gen and version of the case, None when it is closed."""
    value = fold.cases.get("c1")
    return None if value is None else (case_of(value).gen, case_of(value).ver)


FIRST_LIFE = (event(1, 1, 10), event(1, 2, 11), tombstone(1, 3, 12))


@pytest.mark.parametrize(
    ("records", "version"),
    [
        ([event(1, 1, 10), event(1, 2, 11)], (1, 2)),
        ([event(1, 2, 11), event(1, 1, 10), event(1, 1, 10)], (1, 2)),
        ([*FIRST_LIFE, event(1, 2, 11)], None),
        ([*FIRST_LIFE, *FIRST_LIFE], None),
        ([event(2, 2, 50), event(1, 3, 12), event(1, 9, 49)], (2, 2)),
        ([event(1, 2, 11), event(1, 3, 12, kind=CLOSE)], None),
        ([event(1, 2, 11), event(1, 3, 12, kind=EventType.MOVE)], None),
        ([event(1, 2, 11), tombstone(1, 3, 12, pool=PoolId("other"))], (1, 2)),
        ([event(1, 2, 11, pool=PoolId("other"))], None),
    ],
    ids=["newest", "late", "closed-then-late", "twice", "gens", "close-event", "move-event", "stranger", "not-ours"],
)
def test_repeats_and_late_records_change_nothing(records: Sequence[Record], version: tuple[int, int] | None) -> None:
    assert version_of(folded(records)) == version


@pytest.mark.parametrize(
    "records",
    [
        [*FIRST_LIFE, event(1, 1, 20)],
        [*FIRST_LIFE, event(1, 1, 20), *FIRST_LIFE],
        [tombstone(1, 3, 12), event(1, 1, 20)],
        [event(1, 1, 20), event(1, 3, 12, kind=CLOSE)],
        [event(1, 2, 11), tombstone(1, 3, None), event(1, 1, 20)],
        [tombstone(1, 3, None), event(1, 1, 20)],
    ],
    ids=["in-order", "repeated", "compacted", "close-event-later", "older-version", "older-version-compacted"],
)
def test_a_second_life_of_an_id_wins_over_the_end_of_its_first(records: Sequence[Record]) -> None:
    assert version_of(folded(records)) == (1, 1)


def test_a_tombstone_of_an_older_version_ends_what_lies_before_it() -> None:
    assert version_of(folded([event(1, 2, 11), tombstone(1, 3, None)])) is None


def test_what_is_damaged_is_counted_and_left_out() -> None:
    fold = folded([record(topics.CASES, "c1", b"{"), record(topics.CASES, "c1", b"\xff"), event(1, 1, 10)])
    fold.take_advisor(record(topics.ADVISORS, "mina", b"[]"))
    assert (fold.damaged, version_of(fold), fold.advisors) == (3, (1, 1), {})


def test_the_furthest_of_all_is_told() -> None:
    fold = folded([event(1, 1, 10), event(1, 2, 11)])
    fold.take_advisor(advisor(1, 7, 30))
    assert fold.furthest == (1, 30)


def advisor(gen: int, ver: int, number: int, pool: PoolId = POOL) -> Record:
    state = AdvisorState(id=AdvisorId("mina"), gen=gen, ver=ver)
    return record(topics.ADVISORS, "mina", advisor_bytes(pool=pool, state=state, number=number, at_ms=1))


def test_the_newest_record_of_an_advisor_counts() -> None:
    fold = Fold(POOL)
    newest = advisor(2, 1, 40)
    for each in (advisor(1, 5, 20), newest, advisor(1, 9, 30), advisor(9, 9, 99, PoolId("other")), advisor(2, 1, 40)):
        fold.take_advisor(each)
    fold.take_advisor(record(topics.ADVISORS, "mina", None))
    assert fold.advisors == {"mina": newest.value}
