"""How far a Kafka group is behind, by what its broker says."""

from collections.abc import Collection, Mapping

import pytest

from router.runtime.bus.kafka_client import KafkaOptions
from router.runtime.bus.kafka_group import KafkaSubscription
from router.runtime.bus.protocol import Partition

ONLY = Partition("t", 0)


class Deaf:
    """Hears of hand-overs, and does nothing."""

    async def assigned(self, partitions: Mapping[Partition, int]) -> None: ...

    async def revoked(self, partitions: frozenset[Partition]) -> None: ...

    async def lost(self, partitions: frozenset[Partition]) -> None: ...


class Told:
    """A member whose broker says this; None for what was never committed."""

    def __init__(self, first: int, committed: int | None, end: int) -> None:
        self._first, self._committed, self._end = first, committed, end

    async def end_offsets(self, partitions: Collection[Partition]) -> dict[Partition, int]:
        return dict.fromkeys(partitions, self._end)

    async def committed(self, partitions: Collection[Partition]) -> dict[Partition, int]:
        return {} if self._committed is None else dict.fromkeys(partitions, self._committed)

    async def first_offsets(self, partitions: Collection[Partition]) -> dict[Partition, int]:
        return dict.fromkeys(partitions, self._first)


@pytest.mark.parametrize(
    ("first", "committed", "end", "lag"),
    [(0, None, 7, 7), (3, None, 7, 4), (0, 5, 7, 2), (0, 7, 7, 0), (6, 2, 7, 1), (7, 2, 7, 0), (0, None, 0, 0)],
    ids=["new", "new, some gone", "behind", "there", "behind what is gone", "all gone", "empty"],
)
async def test_records_that_are_gone_are_no_lag(first: int, committed: int | None, end: int, lag: int) -> None:
    """Or a group whose records were too old to be kept would look stuck for ever."""
    subscription = KafkaSubscription(KafkaOptions(bootstrap="127.0.0.1:9"), "g", Deaf())
    await subscription._member.abort()
    subscription._member = Told(first, committed, end)  # type: ignore[assignment]  # what the broker says, told by us
    subscription._owned = {ONLY: 1}
    assert await subscription.lag() == {ONLY: lag}
