"""Fences: the epochs under which this process may act on what it reads from its input partitions."""

from collections.abc import Mapping

from router.contract.ids import PoolId
from router.runtime.bus.protocol import Partition, Record
from router.service.dead_letters import DeadLetters
from router.service.errors import Superseded
from router.store.acts import Fence
from router.store.protocol import Store


class Fences:
    """What the consumer of a pool's inquiries asks its owner: the epochs come from the store, not from the bus,
    so that an act of whoever owned a partition before is refused where it would take effect."""

    def __init__(self, pool: PoolId, store: Store, dead_letters: DeadLetters) -> None:
        self._pool = pool
        self._store = store
        self._dead_letters = dead_letters
        self._epochs: dict[Partition, int] = {}

    def fence_of(self, record: Record) -> Fence:
        """The fence of a record's act. Raises ``Superseded`` for a partition that isn't ours."""
        epoch = self._epochs.get(record.partition)
        if epoch is None:
            raise Superseded(f"partition {_name(record.partition)} isn't this router's")
        return Fence(partition=_name(record.partition), epoch=epoch, offset=record.offset)

    async def on_assigned(self, partitions: Mapping[Partition, int]) -> None:
        """Take a new epoch for each before any of its records is handled."""
        names = {_name(partition): partition for partition in partitions}
        epochs = await self._store.take_epochs(self._pool, list(names))
        self._epochs |= {names[name]: epoch for name, epoch in epochs.items()}

    async def on_poison(self, record: Record, exc: Exception) -> None:
        """Put it aside. Being superseded is no fault of the record: then the process has to end."""
        if isinstance(exc, Superseded):
            raise exc
        await self._dead_letters.put(record, exc)


class NoFences:
    """For consumers whose acts are idempotent by themselves."""

    def __init__(self, dead_letters: DeadLetters) -> None:
        self._dead_letters = dead_letters

    async def on_assigned(self, partitions: Mapping[Partition, int]) -> None:
        """Nothing to do."""

    async def on_poison(self, record: Record, exc: Exception) -> None:
        await self._dead_letters.put(record, exc)


def _name(partition: Partition) -> str:
    return f"{partition.topic}/{partition.number}"
