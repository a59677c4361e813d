"""How far each partition is done without a gap. Pure: no clock, no I/O."""

from collections import deque
from collections.abc import Mapping

from router.runtime.bus.protocol import Partition


class _Flight:
    """The records of one assignment of one partition that were handed out and not yet passed by."""

    __slots__ = ("committed", "done", "epoch", "handed_out", "next_offset")

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch
        self.handed_out: deque[int] = deque()
        self.done: set[int] = set()
        self.next_offset: int | None = None
        self.committed: int | None = None


class Watermarks:
    """The contiguous low watermark of each partition owned.

    Offsets may have holes (compaction): contiguous means every record that was handed out before is done.
    What is said about another epoch than the one a partition is owned under is ignored.
    """

    def __init__(self) -> None:
        self._flights: dict[Partition, _Flight] = {}
        self._in_flight = 0

    @property
    def in_flight(self) -> int:
        """Records handed out and not done, over all partitions owned."""
        return self._in_flight

    def in_flight_of(self, partition: Partition) -> int:
        """The same of one partition; 0 when it is not owned."""
        flight = self._flights.get(partition)
        return len(flight.handed_out) - len(flight.done) if flight else 0

    def assign(self, partition: Partition, epoch: int) -> None:
        """Own a partition under an epoch; what was in flight under another one is forgotten."""
        self.drop(partition)
        self._flights[partition] = _Flight(epoch)

    def drop(self, partition: Partition) -> None:
        """Own it no longer. Repeating it does nothing."""
        self._in_flight -= self.in_flight_of(partition)
        self._flights.pop(partition, None)

    def position(self, partition: Partition) -> int:
        """The offset that a commit would say now: of the first record that isn't done. Raises ``KeyError`` when the
        partition is not owned, and ``ValueError`` before anything of it was handed out."""
        flight = self._flights[partition]
        if flight.next_offset is not None:
            return flight.next_offset
        return min(flight.handed_out)

    def hand_out(self, partition: Partition, epoch: int, offset: int) -> bool:
        """Note a record as in flight, in the order it was read. False when it isn't ours to handle."""
        flight = self._flights.get(partition)
        if flight is None or flight.epoch != epoch:
            return False
        last = flight.handed_out[-1] if flight.handed_out else (flight.next_offset or 0) - 1
        if offset <= last:
            raise ValueError(f"{partition} handed out {offset} after {last}")
        flight.handed_out.append(offset)
        self._in_flight += 1
        return True

    def complete(self, partition: Partition, epoch: int, offset: int) -> bool:
        """Note a record as done. False, and nothing happens, when it is of an older epoch or done already."""
        flight = self._flights.get(partition)
        if flight is None or flight.epoch != epoch:
            return False
        passed = flight.next_offset is not None and offset < flight.next_offset
        if passed or offset in flight.done:
            return False
        flight.done.add(offset)
        self._in_flight -= 1
        while flight.handed_out and flight.handed_out[0] in flight.done:
            first = flight.handed_out.popleft()
            flight.done.remove(first)
            flight.next_offset = first + 1
        return True

    def committable(self) -> Mapping[Partition, tuple[int, int]]:
        """{partition: (epoch, next offset to read)} of those that moved since ``committed``."""
        return {
            partition: (flight.epoch, flight.next_offset)
            for partition, flight in self._flights.items()
            if flight.next_offset is not None and flight.next_offset != flight.committed
        }

    def committed(self, watermarks: Mapping[Partition, tuple[int, int]]) -> None:
        """These were committed, so they need not be again."""
        for partition, (epoch, next_offset) in watermarks.items():
            flight = self._flights.get(partition)
            if flight is not None and flight.epoch == epoch:
                flight.committed = next_offset
