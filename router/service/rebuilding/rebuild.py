"""Rebuild: a state store that has lost something is made anew from the bus.

It stops all acts, reads the topics, removes what is left of the pool, puts everything back under the next gen, and
lets acts go on. It may end anywhere: the next attempt begins from nothing.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from typing import Final, TypeVar

import msgspec
from msgspec.structs import replace

from router.contract import topics
from router.contract.advisor import AdvisorState
from router.contract.advisor_record import advisor_of
from router.contract.case import CaseState
from router.contract.envelope import case_of
from router.contract.errors import Undecodable
from router.contract.ids import AdvisorId, PoolId
from router.runtime.bus.protocol import Bus, Record
from router.runtime.clock import Clock
from router.service.errors import Superseded
from router.service.rebuilding.capacity import Requeue, Settled, settle
from router.service.rebuilding.compare import Reach, reach_of
from router.service.rebuilding.fold import Fold
from router.service.rebuilding.stories import Stories
from router.service.relaying.notes import note_record
from router.store.rebuilds import MAX_RESTORED, Foundation, Rebuilds, RestoredCase, Standing, first_number

LOG = logging.getLogger(__name__)
T = TypeVar("T")
LEASE_MS: Final = 30_000
GRACE_MS: Final = 60_000
_RECENT_MS: Final = topics.HOUR_MS
_LAG_MS: Final = topics.DAY_MS
_MAX_BYTES: Final = 1 << 20
_ROUNDS: Final = 5
_SAID_EVERY: Final = 10_000
_SAID_EVERY_RECORD: Final = 100_000
_AT_ONCE: Final = 200


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What the bus holds of a pool. ``reach`` None: nothing."""

    reach: Reach | None
    cases: tuple[CaseState, ...]
    advisors: tuple[AdvisorState, ...]
    damaged: int


class Rebuilt(msgspec.Struct, frozen=True, kw_only=True):
    """How a rebuild went."""

    gen: int
    cases: int
    advisors: int
    requeued: int
    damaged: int
    seconds: float


Said = Callable[[str], None]
Finished = Callable[[], object]


class Rebuilder:
    """Rebuilds one pool. ``holder`` is a name that no other process has; ``requeue`` is how an offered case waits
    again; ``said`` is told each step, and ``doing`` names the present one;
    ``finished`` is called after each rebuild."""

    def __init__(  # noqa: PLR0913 - one for each thing it joins
        self,
        pool: PoolId,
        store: Rebuilds,
        bus: Bus,
        *,
        clock: Clock,
        holder: str,
        requeue: Requeue,
        said: Said = lambda _: None,
        finished: Finished = lambda: None,
    ) -> None:
        self._pool = pool
        self._store = store
        self._bus = bus
        self._clock = clock
        self.holder = holder
        self._requeue = requeue
        self._said = said
        self._finished = finished
        self._fence = 0
        self.doing = "waiting"

    async def find(self) -> Found:
        """Read what the bus holds, and change nothing. Raises ``BusUnavailable``."""
        fold, reach = await self._fold()
        return await self._found(fold, reach)

    async def run(self) -> Rebuilt | None:
        """Rebuild the pool; None while somebody else does. Raises ``BusUnavailable``, ``StoreUnavailable`` (run it
        again) and ``Superseded`` when another rebuilder took over."""
        self._fence = await self._store.begin_rebuild(self._pool, self.holder, lease_ms=LEASE_MS)
        if not self._fence:
            return None
        began = self._clock.monotonic()
        async with self._kept():
            rebuilt = await self._rebuild(await self._store.inspect(self._pool))
        self._finished()
        rebuilt = replace(rebuilt, seconds=round(self._clock.monotonic() - began, 3))
        LOG.warning("pool %s was rebuilt from the bus", self._pool, extra={"event": "rebuild.done", **_fields(rebuilt)})
        return rebuilt

    async def _rebuild(self, standing: Standing) -> Rebuilt:
        settled, gen, damaged = await self._read_states(standing)
        stories = await self._stories(settled.cases)
        self._say(f"putting back {len(settled.cases)} cases and {len(settled.advisors)} advisors")
        await self._put_back(settled, stories, gen)
        # The note goes first: should the store be lost again now, the bus knows that this gen was given.
        note = note_record(self._pool, gen, first_number(gen), at_ms=self._clock.now_ms())
        await self._bus.publish([note])
        self._demand(await self._store.finish_rebuild(self._pool, self._fence))
        return Rebuilt(
            gen=gen,
            cases=len(settled.cases),
            advisors=len(settled.advisors),
            requeued=len(settled.requeued),
            damaged=damaged,
            seconds=0,
        )

    # -- reading

    async def _read_states(self, standing: Standing) -> tuple[Settled, int, int]:
        """What is to be put back, under which gen, and how much can't be read."""
        found = await self.find()
        earlier = standing.rebuild.gen if standing.rebuild else 0
        gen = max(found.reach.gen if found.reach else 0, standing.gen, earlier) + 1
        return self._settle(found, gen), gen, found.damaged

    async def _fold(self) -> tuple[Fold, Reach | None]:
        """All records of cases and advisors, and the last events before the relay fell silent: what it had in hand
        may still come, so it is looked until nothing new has."""
        fold = Fold(self._pool)
        self._say("reading cases and advisors")
        await self._read(topics.CASES, fold.take_case)
        reach: Reach | None = None
        for _ in range(_ROUNDS):
            before, reach = reach, await reach_of(self._bus, self._pool)
            if reach == before:
                break
            since_ms = max(0, reach.note_at_ms - _RECENT_MS) if reach else 0
            await self._read(topics.EVENTS, fold.take_case, since_ms=since_ms)
            await self._read(topics.ADVISORS, fold.take_advisor)
        return fold, reach

    async def _stories(self, cases: Sequence[CaseState]) -> Stories:
        """History and transcript of the open cases. An inquiry may have waited on the bus for its case."""
        stories = Stories(self._pool, {state.id: state.conversation for state in cases})
        if not cases:
            return stories
        since_ms = max(0, min(state.opened_at_ms for state in cases) - _LAG_MS)
        self._say("reading events")
        await self._read(topics.EVENTS, stories.take_event, since_ms=since_ms)
        stories.want_messages()
        self._say("reading inquiries, replies and notes")
        await self._read(topics.inquiries(self._pool), stories.take_inquiry, since_ms=since_ms)
        await self._read(topics.REPLIES, stories.take_reply, since_ms=since_ms)
        await self._read(topics.NOTES, stories.take_note, since_ms=since_ms)
        return stories

    async def _read(self, topic: str, take: Callable[[Record], None], *, since_ms: int = 0) -> None:
        count, step = 0, self.doing
        async for record in self._bus.history(topic, since_ms=since_ms):
            take(record)
            count += 1
            if count % _SAID_EVERY_RECORD == 0:
                self._say(f"{step}: {count} records of {topic}")
        self.doing = step

    async def _found(self, fold: Fold, reach: Reach | None) -> Found:
        told_cases, told_advisors = fold.drained()
        cases, damaged = await _decoded(told_cases, case_of)
        advisors, more = await _decoded(told_advisors, advisor_of)
        return Found(reach=reach, cases=cases, advisors=advisors, damaged=fold.damaged + damaged + more)

    # -- writing

    def _settle(self, found: Found, gen: int) -> Settled:
        return settle(
            found.cases,
            {AdvisorId(state.id): state for state in found.advisors},
            gen=gen,
            grace_until_ms=self._clock.now_ms() + GRACE_MS,
            requeue=self._requeue,
        )

    async def _put_back(self, settled: Settled, stories: Stories, gen: int) -> None:
        newest = max((state.changed_at_ms for state in settled.cases), default=0)
        total = len(settled.cases) + len(settled.advisors)
        start = Foundation(gen=gen, now_ms=newest, total=total)
        self._demand(await self._store.clear(self._pool, self._fence, start))
        for people in _pages(settled.advisors):
            self._demand(await self._store.restore(self._pool, self._fence, advisors=people, lease_ms=LEASE_MS))
        restored = (_restored(state, stories, settled.requeued) for state in settled.cases)
        done = len(settled.advisors)
        for cases in _batches(restored):
            self._demand(await self._store.restore(self._pool, self._fence, cases=cases, lease_ms=LEASE_MS))
            done += len(cases)
            self.doing = f"{done} of {total}"
            if done % _SAID_EVERY < len(cases):
                self._say(self.doing)

    # -- staying the one

    @contextlib.asynccontextmanager
    async def _kept(self) -> AsyncIterator[None]:
        """The lease is renewed meanwhile; reading the topics can take longer than it."""
        renewing = asyncio.create_task(self._renew(), name="rebuild-lease")
        try:
            yield
        finally:
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)

    async def _renew(self) -> None:
        while True:
            await self._clock.sleep_until_ms(self._clock.now_ms() + LEASE_MS // 3)
            await self._store.begin_rebuild(self._pool, self.holder, lease_ms=LEASE_MS)

    def _demand(self, held: bool) -> None:
        if not held:
            raise Superseded(f"another process rebuilds pool {self._pool} by now")

    def _say(self, what: str) -> None:
        self.doing = what
        LOG.info("rebuild of pool %s: %s", self._pool, what, extra={"event": "rebuild.step", "pool": self._pool})
        self._said(what)


async def _decoded(values: Iterable[bytes], decode: Callable[[bytes], T]) -> tuple[tuple[T, ...], int]:
    """What can be read, and how much can't. Others get their turn: there may be a million."""
    read, damaged = [], 0
    for number, value in enumerate(values):
        if number % _AT_ONCE == 0:
            await asyncio.sleep(0)
        try:
            read.append(decode(value))
        except Undecodable as exc:
            damaged += 1
            LOG.warning("a state can't be read and is left out: %s", exc, extra={"event": "rebuild.damaged"})
    return tuple(read), damaged


def _restored(state: CaseState, stories: Stories, requeued: frozenset[str]) -> RestoredCase:
    return RestoredCase(
        state=state,
        messages=stories.messages(state.id),
        history=stories.history(state.id),
        seen=stories.seen(state.id),
        operations=stories.operations(state.id),
        requeued=state.id in requeued,
    )


def _pages(advisors: Sequence[AdvisorState]) -> Iterator[Sequence[AdvisorState]]:
    for at in range(0, len(advisors), MAX_RESTORED):
        yield advisors[at : at + MAX_RESTORED]


def _batches(cases: Iterable[RestoredCase]) -> Iterator[list[RestoredCase]]:
    """Calls of a bounded size: a long transcript takes one alone."""
    batch: list[RestoredCase] = []
    size = 0
    for case in cases:
        length = len(case.state.detail) + sum(map(len, case.messages)) + sum(map(len, case.history))
        if batch and (len(batch) == MAX_RESTORED or size + length > _MAX_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(case)
        size += length
    if batch:
        yield batch


def _fields(rebuilt: Rebuilt) -> dict[str, object]:
    return msgspec.structs.asdict(rebuilt)
