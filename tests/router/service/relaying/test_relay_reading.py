"""Batches of an outbox: dense, bounded by count and bytes."""

from collections.abc import Sequence

from msgspec.structs import replace

from router.contract.ids import PoolId
from router.service.relaying.reading import MAX_BYTES, MAX_ENTRIES, PAGE, OutboxReader
from router.store.memory import MemoryStore
from router.store.protocol import OutboxEntry
from tests.suites.stage import POOL, Stage, stage

LARGE = f'"{"x" * 60_000}"'


class PagedStore(MemoryStore):
    """Remembers how much was asked for at once, and with which patience."""

    def __init__(self, scene: Stage) -> None:
        super().__init__(scene.clock.now_ms)
        self._pools = scene.store._pools
        self.asked: list[tuple[int, int]] = []

    def make_large(self) -> None:
        outbox = self._pools[POOL].outbox
        for at, entry in enumerate(outbox):
            assert entry.case is not None
            outbox[at] = replace(entry, case=replace(entry.case, why=LARGE))

    async def pending(self, pool: PoolId, after: int, *, limit: int = 100, wait_ms: int = 0) -> Sequence[OutboxEntry]:
        self.asked.append((limit, wait_ms))
        return await super().pending(pool, after, limit=limit)


async def test_a_batch_is_filled_page_by_page_and_only_the_first_is_waited_for() -> None:
    async with stage() as scene:
        for n in range(PAGE + 20):
            await scene.write(f"c{n}")
        store = PagedStore(scene)
        batch = await OutboxReader(POOL, store).read(5)
        assert (batch.entries, batch.last, batch.has_room) == (PAGE + 15, PAGE + 20, True)
        assert store.asked == [(PAGE, 1_000), (PAGE, 0)]


async def test_a_batch_ends_at_its_count() -> None:
    async with stage() as scene:
        for n in range(MAX_ENTRIES + 10):
            await scene.write(f"c{n}")
        reader = OutboxReader(POOL, PagedStore(scene))
        batch = await reader.read(0)
        assert (batch.entries, batch.last, batch.has_room) == (MAX_ENTRIES, MAX_ENTRIES, False)
        assert (await reader.read(batch.last)).entries == 10


async def test_a_batch_ends_at_its_bytes() -> None:
    async with stage() as scene:
        for n in range(PAGE + 1):
            await scene.write(f"c{n}")
        store = PagedStore(scene)
        store.make_large()
        reader = OutboxReader(POOL, store)
        batch = await reader.read(0)
        assert (batch.entries, batch.has_room) == (PAGE, False)
        assert sum(len(record.value or b"") for record in batch.records) > MAX_BYTES
        assert (await reader.read(batch.last)).last == PAGE + 1


async def test_what_came_since_is_added_in_its_order() -> None:
    async with stage() as scene:
        await scene.write("c0")
        reader = OutboxReader(POOL, PagedStore(scene))
        batch = await reader.read(0)
        since_ms = scene.clock.now_ms()
        await scene.clock.advance_ms(5)
        await scene.write("c1")
        await reader.fill(batch)
        assert [record.key for record in batch.records] == ["c0", "c0", "c1", "c1"]
        assert (batch.last, batch.oldest_ms) == (2, since_ms)


async def test_of_an_empty_outbox_the_batch_is_empty() -> None:
    async with stage() as scene:
        batch = await OutboxReader(POOL, PagedStore(scene)).read(7)
        assert (batch.entries, batch.last, batch.records, batch.oldest_ms) == (0, 7, [], None)
