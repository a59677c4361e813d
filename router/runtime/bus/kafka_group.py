"""One member of a Kafka consumer group as a ``Subscription``.

**Epochs.** A record's epoch is the generation of the group it was read in. The group's coordinator adds one
at every rebalance, stores it with the assignment, and hands nothing out before it is stored; all partitions
change hands only by a rebalance. So over all members it grows each time a partition changes hands, a
coordinator's failover included. Kafka forgets a group that had no member for its retention time (seven days;
minutes for a group that never committed), and a lost offsets topic loses all groups: then it starts at 1
again, together with the offsets. Whoever keeps epochs for longer than that takes them from the state store.

**Hand-overs.** The client library tells of them in a task of its own, at any time. Here they are put in a
queue which ``poll`` empties, so that the callbacks run in the task that polls; the library's task waits for
that, and only then gives the partitions up.
"""

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from router.runtime.bus.kafka_client import KafkaOptions, translated
from router.runtime.bus.kafka_consumer import Member, partition_of, record_of
from router.runtime.bus.protocol import Partition, Rebalance, Record
from router.runtime.errors import BusUnavailable

_log = logging.getLogger(__name__)

_SLICE_S: Final = 0.5
_SHARE_OF_LAST_WORK: Final = 0.7


class _Taken:
    """Partitions that we own no longer. ``is_final``: it is too late for commits."""

    def __init__(self, *, is_final: bool) -> None:
        self.is_final = is_final
        self.handled = asyncio.Event()


class _Given:
    """Partitions that we own from now on."""

    def __init__(self, epoch: int, partitions: frozenset[Partition]) -> None:
        self.epoch = epoch
        self.epochs = dict.fromkeys(partitions, epoch)


class KafkaSubscription:
    """Implements ``Subscription``. Made by ``KafkaBus.subscribe``; making it may raise ``BusUnavailable``."""

    def __init__(self, options: KafkaOptions, group: str, rebalance: Rebalance) -> None:
        self._options = options
        self._group = group
        self._rebalance = rebalance
        with translated(f"subscribe {group}"):
            self._member = Member(options, group)
        self._owned: dict[Partition, int] = {}
        self._handovers: deque[_Taken | _Given] = deque()
        self._wake = asyncio.Event()
        self._epoch = 0
        self._without_coordinator_since: float | None = None
        self._is_closing = False
        self.is_closed = False

    async def join(self, topics: Sequence[str]) -> None:
        """Connect and begin to join; ``poll`` does the rest. Raises ``BusUnavailable``, also for an absent topic."""
        try:
            await self._connect(topics)
        except BaseException:
            self.is_closed = True
            await self._member.abort()
            raise
        self._member.join(topics, revoked=self._on_revoked, assigned=self._on_assigned)

    async def _connect(self, topics: Sequence[str]) -> None:
        with translated(f"subscribe {self._group}"):
            async with asyncio.timeout(self._options.request_s):
                await self._member.start()
                missing = [topic for topic in topics if not await self._member.partitions(topic)]
        if missing:
            raise BusUnavailable(f"subscribe {self._group}: there is no topic {', '.join(missing)}: create it first")

    async def poll(self, *, max_records: int, timeout_ms: int) -> Sequence[Record]:
        """As ``Subscription.poll``. The broker that runs the group is given one request time-out to come back
        before its absence is raised."""
        ends = time.monotonic() + timeout_ms / 1000
        await asyncio.sleep(0)  # taking what is there never waits: a busy caller must not starve the fetches
        while True:
            self._member.show_life()
            await self._settle()
            # From here to the records' epochs nothing else runs: no hand-over can come in between.
            if found := await self._take(max_records):
                return found
            self._check_coordinator()
            left = ends - time.monotonic()
            if left <= 0:
                return ()
            # In slices, to go on showing life.
            await self._something_happens(min(left, _SLICE_S))

    async def commit(self, watermarks: Mapping[Partition, tuple[int, int]]) -> frozenset[Partition]:
        """As ``Subscription.commit``. Raises ``BusUnavailable`` when the outcome is unknown."""
        if self.is_closed:
            return frozenset()
        generation = self._member.generation
        offsets = {
            each: offset
            for each, (epoch, offset) in watermarks.items()
            if epoch == generation and self._owned.get(each) == epoch
        }
        if not offsets:
            return frozenset()
        with translated(f"commit {self._group}"):
            async with asyncio.timeout(self._options.request_s):
                took_effect = await self._member.commit(offsets, generation)
        return frozenset(offsets) if took_effect else frozenset()

    def pause(self, partitions: frozenset[Partition]) -> None:
        """As ``Subscription.pause``. What was fetched ahead of them is dropped and fetched again later; a
        hand-over ends the pause."""
        self._member.pause(self._held(partitions))

    def resume(self, partitions: frozenset[Partition]) -> None:
        self._member.resume(self._held(partitions))

    async def lag(self) -> Mapping[Partition, int]:
        """As ``Subscription.lag``. Raises ``BusUnavailable``."""
        owned = frozenset(self._owned)
        if not owned or self.is_closed:
            return {}
        with translated(f"lag {self._group}"):
            async with asyncio.timeout(self._options.request_s):
                ends = await self._member.end_offsets(owned)
                starts = await self._member.committed(owned)
                # What was never committed begins at the oldest record, and what is too old is gone: nobody reads it.
                if behind := [each for each in owned if ends[each] > starts.get(each, 0)]:
                    for each, first in (await self._member.first_offsets(behind)).items():
                        starts[each] = max(first, starts.get(each, 0))
        return {each: max(0, ends[each] - starts.get(each, 0)) for each in owned}

    async def close(self, *, within_s: float | None = None) -> None:
        """As ``Subscription.close``; ``within_s`` instead of the stop deadline."""
        if self._is_closing or self.is_closed:
            return
        self._is_closing = True
        self._wake.set()
        within_s = self._options.stop_s if within_s is None else within_s
        ends = time.monotonic() + within_s
        try:
            # Most of the time is for work in flight and its commits; leaving is one round trip.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(within_s * _SHARE_OF_LAST_WORK):
                    await self._give_up(is_final=self._member.generation != self._epoch)
        finally:
            self.is_closed = True
            self._owned = {}
            for each in self._handovers:
                if isinstance(each, _Taken):
                    each.handled.set()
            self._wake.set()
            await self._member.stop(max(0.1, ends - time.monotonic()))

    async def _on_revoked(self, partitions: frozenset[Partition]) -> None:
        if not partitions or self._is_closing:
            return
        # Out of the group already (too slow, or unknown to the broker): others may own them by now.
        taken = _Taken(is_final=self._member.generation <= 0)
        self._handovers.append(taken)
        self._wake.set()
        if taken.is_final:
            return
        try:
            async with asyncio.timeout(self._options.handover_s):
                await taken.handled.wait()
        except TimeoutError:
            taken.is_final = True
            _log.warning("partitions are given up unasked", extra={"event": "handover_late", "group": self._group})

    async def _on_assigned(self, partitions: frozenset[Partition]) -> None:
        generation = self._member.generation
        if generation <= 0:  # thrown out again while joining: the next join is under way
            return
        if generation <= self._epoch:
            _log.warning("the group's epochs start anew", extra={"event": "group_lost", "group": self._group})
        self._handovers.append(_Given(generation, partitions))
        self._wake.set()

    async def _settle(self) -> None:
        """Run the callbacks of the hand-overs that are due. One that fails is tried again by the next poll."""
        if self._is_closing or self.is_closed:
            raise BusUnavailable(f"poll {self._group}: the subscription is closed")
        while self._handovers:
            each = self._handovers[0]
            if isinstance(each, _Taken):
                try:
                    # The generation may have ended while this waited for a poll.
                    await self._give_up(is_final=each.is_final or self._member.generation != self._epoch)
                finally:
                    each.handled.set()
            else:
                if each.epochs:
                    await self._rebalance.assigned(each.epochs)
                self._epoch, self._owned = each.epoch, each.epochs
            self._handovers.popleft()

    async def _give_up(self, *, is_final: bool) -> None:
        if not self._owned:
            return
        owned = frozenset(self._owned)
        try:
            await (self._rebalance.lost(owned) if is_final else self._rebalance.revoked(owned))
        finally:
            self._owned = {}

    async def _take(self, max_records: int) -> list[Record]:
        if not self._is_settled():
            return []
        found = await self._member.take_by_partition(max_records)
        return [record_of(each, self._owned[partition_of(each)]) for each in found]

    def _is_settled(self) -> bool:
        """Whether what the library takes for ours is what we have been told by ``assigned``."""
        return not (self._handovers or self._member.is_rejoining) and self._member.generation == self._epoch

    def _check_coordinator(self) -> None:
        now = time.monotonic()
        if self._member.has_coordinator:
            self._without_coordinator_since = None
        elif self._without_coordinator_since is None:
            self._without_coordinator_since = now
        elif now - self._without_coordinator_since > self._options.request_s:
            raise BusUnavailable(f"poll {self._group}: no broker runs the group")

    async def _something_happens(self, within_s: float) -> None:
        self._wake.clear()
        if self._handovers or self._is_closing:
            return
        wake = asyncio.create_task(self._wake.wait(), name="kafka-poll-wake")
        try:
            with self._member.arrival() as arrival:
                events: set[asyncio.Future[Any]] = {arrival, wake}
                await asyncio.wait(events, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            wake.cancel()

    def _held(self, partitions: Collection[Partition]) -> list[Partition]:
        """Those of them that the library, too, takes for ours."""
        return [each for each in partitions if each in self._owned] if self._is_settled() else []
