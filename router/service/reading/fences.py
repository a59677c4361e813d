"""Fences: the epochs under which this process may act on what it reads from its input partitions."""

from collections.abc import Collection, Mapping

from router.contract.ids import PoolId
from router.runtime.bus.protocol import Partition, Record
from router.runtime.errors import PartitionFenced
from router.store.acts import Fence
from router.store.protocol import Store


class Fences:
    """The epochs come from the store, not from the bus, so that an act of whoever owned a partition before is refused
    where it would take effect."""

    def __init__(self, pool: PoolId, store: Store) -> None:
        self._pool = pool
        self._store = store
        self._epochs: dict[Partition, int] = {}

    async def take(self, partitions: Collection[Partition]) -> None:
        """Take a new epoch for each: nobody acts on it under an older one from now on."""
        names = {name_of(partition): partition for partition in partitions}
        epochs = await self._store.take_epochs(self._pool, list(names))
        self._epochs |= {names[name]: epoch for name, epoch in epochs.items()}

    def fence_of(self, record: Record) -> Fence:
        """The fence of a record's act. Raises ``PartitionFenced`` for a partition that was never ours."""
        epoch = self._epochs.get(record.partition)
        if epoch is None:
            raise PartitionFenced(f"partition {name_of(record.partition)} isn't this process's")
        return Fence(
            partition=name_of(record.partition),
            epoch=epoch,
            offset=record.offset,
            published_at_ms=record.published_at_ms,
        )

    def holds(self, record: Record, fence: Fence) -> bool:
        """Whether that is still the newest fence of the record's partition that we have."""
        return self._epochs.get(record.partition) == fence.epoch

    def marks(self, offsets: Mapping[Partition, int]) -> dict[str, tuple[int, int]]:
        """Offsets under their epochs, as the store takes them; partitions that were never ours are left out."""
        return {
            name_of(partition): (self._epochs[partition], offset)
            for partition, offset in offsets.items()
            if partition in self._epochs
        }


def name_of(partition: Partition) -> str:
    """A partition's name in the store."""
    return f"{partition.topic}/{partition.number}"
