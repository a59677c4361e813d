"""A member's view of what it owns, and the order in which a hand-over is told (streams and memory)."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple

from router.runtime.bus.protocol import Partition, Rebalance


class Grant(NamedTuple):
    """What the bus says of a partition that a member owns."""

    epoch: int
    next_offset: int


class View(NamedTuple):
    """What the bus says a member owns, and which of these it must give up for others."""

    granted: Mapping[Partition, Grant]
    surrender: frozenset[Partition]


Release = Callable[[Mapping[Partition, int]], Awaitable[None]]


class Holdings:
    """What a member believes it owns: the epoch and the next offset to read of each partition."""

    def __init__(self, rebalance: Rebalance) -> None:
        self._rebalance = rebalance
        self.epochs: dict[Partition, int] = {}
        self.next_offsets: dict[Partition, int] = {}
        self.paused: frozenset[Partition] = frozenset()

    def readable(self) -> list[Partition]:
        """What may be read from, in a fixed order."""
        return [partition for partition in self.epochs if partition not in self.paused]

    async def follow(self, view: View, release: Release) -> None:
        """Bring the holdings to the view: told lost, then revoked and released, then assigned.

        Broken off at any place, following a later view completes it.
        """
        lost = frozenset(
            partition
            for partition, epoch in self.epochs.items()
            if (grant := view.granted.get(partition)) is None or grant.epoch != epoch
        )
        if lost:
            self._forget(lost)
            await self._rebalance.lost(lost)
        if view.surrender:
            await self._surrender(view, release)
        new = {
            partition: grant.epoch
            for partition, grant in view.granted.items()
            if partition not in view.surrender and partition not in self.epochs
        }
        if new:
            await self._rebalance.assigned(new)
            self.epochs.update(new)
            self.next_offsets.update({partition: view.granted[partition].next_offset for partition in new})

    async def _surrender(self, view: View, release: Release) -> None:
        ours = view.surrender & self.epochs.keys()
        if ours:
            # Commits are still good until released: the callback makes them.
            await self._rebalance.revoked(ours)
            self._forget(ours)
        await release({partition: view.granted[partition].epoch for partition in view.surrender})

    async def give_up_all(self) -> None:
        """Told revoked for everything; used when leaving."""
        if self.epochs:
            ours = frozenset(self.epochs)
            try:
                await self._rebalance.revoked(ours)
            finally:
                self._forget(ours)

    def _forget(self, partitions: frozenset[Partition]) -> None:
        self.paused -= partitions
        for partition in partitions:
            self.epochs.pop(partition, None)
            self.next_offsets.pop(partition, None)


def contiguous_shares(partitions: Sequence[Partition], members: Sequence[str]) -> Mapping[str, frozenset[Partition]]:
    """Split the partitions in contiguous runs whose sizes differ by at most one, in the members' order."""
    shares: dict[str, frozenset[Partition]] = {}
    for index, member in enumerate(members):
        first = index * len(partitions) // len(members)
        last = (index + 1) * len(partitions) // len(members)
        shares[member] = frozenset(partitions[first:last])
    return shares
