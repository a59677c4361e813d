"""How far the bus knows a pool: the note, and whatever has come after it."""

import pytest

from router.contract import topics
from router.contract.advisor import AdvisorState
from router.contract.advisor_record import advisor_bytes
from router.contract.envelope import case_event_bytes
from router.contract.events import EventType
from router.contract.ids import AdvisorId, PoolId
from router.runtime.bus.memory import MemoryBus
from router.runtime.bus.protocol import Outgoing
from router.service.rebuilding.compare import NOTE_MARGIN_MS, reach_of
from router.service.rebuilding.gate import is_behind
from router.service.relaying.notes import note_record
from router.store.rebuilds import Standing
from tests.suites.rebuild_records import case_state
from tests.suites.rebuild_stage import ALL_TOPICS
from tests.suites.stage import POOL

NOW_MS = 1_760_000_000_000
OTHER = PoolId("other")


class Clocked:
    """A bus whose clock a test sets."""

    def __init__(self) -> None:
        self.now_ms = NOW_MS
        self.bus = MemoryBus(wall_ms=lambda: self.now_ms)

    async def put(self, *records: Outgoing, at_ms: int = NOW_MS) -> None:
        self.now_ms = at_ms
        await self.bus.publish(records)


@pytest.fixture
async def clocked() -> Clocked:
    made = Clocked()
    await made.bus.create_topics(ALL_TOPICS)
    return made


def event(gen: int, number: int, *, topic: str = topics.EVENTS, pool: PoolId = POOL) -> Outgoing:
    state = case_state("c1", gen=gen, ver=1)
    value = case_event_bytes(type=EventType.LABEL, pool=pool, state=state, number=number, at_ms=1, outcome="done")
    return Outgoing(topic=topic, key="c1", value=value)


def advisor(gen: int, number: int) -> Outgoing:
    state = AdvisorState(id=AdvisorId("mina"), gen=gen)
    value = advisor_bytes(pool=POOL, state=state, number=number, at_ms=1)
    return Outgoing(topic=topics.ADVISORS, key="mina", value=value)


def note(gen: int, number: int, *, at_ms: int = NOW_MS, pool: PoolId = POOL) -> Outgoing:
    return note_record(pool, gen, number, at_ms=at_ms)


async def rank(clocked: Clocked) -> tuple[int, int] | None:
    reach = await reach_of(clocked.bus, POOL)
    return reach.rank if reach else None


async def test_a_bus_without_anything_of_the_pool_tells_so(clocked: Clocked) -> None:
    await clocked.put(event(1, 5, pool=OTHER), note(1, 9, pool=OTHER))
    assert await rank(clocked) is None


async def test_the_note_alone_is_enough(clocked: Clocked) -> None:
    await clocked.put(note(1, 9))
    assert await rank(clocked) == (1, 9)


async def test_events_and_advisors_after_the_note_are_further(clocked: Clocked) -> None:
    await clocked.put(note(1, 9), event(1, 10))
    assert await rank(clocked) == (1, 10)
    await clocked.put(advisor(1, 11))
    assert await rank(clocked) == (1, 11)


async def test_a_later_gen_is_further_than_any_number(clocked: Clocked) -> None:
    await clocked.put(note(2, 3), event(1, 99))
    assert await rank(clocked) == (2, 3)


async def test_what_was_published_a_while_before_the_note_is_not_read(clocked: Clocked) -> None:
    long_ago = NOW_MS - NOTE_MARGIN_MS - 1
    await clocked.put(event(1, 99), at_ms=long_ago)  # a note covers it: here a smaller one shows that it isn't read
    await clocked.put(note(1, 9))
    assert await rank(clocked) == (1, 9)


async def test_without_a_note_everything_is_read(clocked: Clocked) -> None:
    await clocked.put(event(1, 7), at_ms=1)
    assert await rank(clocked) == (1, 7)


async def test_without_events_the_cases_tell(clocked: Clocked) -> None:
    await clocked.put(event(1, 7, topic=topics.CASES))
    assert await rank(clocked) == (1, 7)


async def test_damaged_records_say_nothing(clocked: Clocked) -> None:
    await clocked.put(note(1, 2), Outgoing(topic=topics.EVENTS, key="x", value=b"{"))
    assert await rank(clocked) == (1, 2)


@pytest.mark.parametrize(
    ("gen", "number", "behind"), [(1, 9, False), (1, 10, False), (2, 0, False), (1, 8, True), (0, 99, True)]
)
async def test_a_store_is_behind_when_the_bus_has_more(clocked: Clocked, gen: int, number: int, behind: bool) -> None:
    await clocked.put(note(1, 9))
    standing = Standing(life="x", verified=False, is_there=True, gen=gen, number=number)
    assert is_behind(standing, await reach_of(clocked.bus, POOL)) is behind


def test_nothing_is_behind_a_bus_without_anything() -> None:
    assert not is_behind(Standing(life="x", verified=False), None)
