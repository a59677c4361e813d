"""A stage whose acts go to a bus, so that its store can be lost and made anew."""

import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

from msgspec.structs import replace

from router.contract import topics
from router.contract.advisor import Presence
from router.contract.case import CaseState, CaseStatus, Pending
from router.contract.codec import encode
from router.contract.ids import AdvisorId, CaseId
from router.contract.records import record_head
from router.engine.consulting import Whom
from router.engine.exclusions import Wish
from router.runtime.bus.protocol import Bus, Outgoing
from router.runtime.redis import Purpose, connect
from router.service.rebuilding.gate import Gate
from router.service.rebuilding.rebuild import Rebuilder, Said
from router.service.rebuilding.requeueing import requeueing
from router.service.relaying.notes import note_record
from router.service.relaying.records import records_of
from router.store.acts import Outcome
from router.store.keys import prefix
from router.store.rebuilds import Rebuilds
from router.store.redis import RedisStore
from tests.suites.stage import POOL, Stage, inquiry, stage
from tests.suites.store.bench import WholeStore
from tests.suites.store.dump import Dump, dump_of

PEOPLE: Final = ("mina", "joon", "sora", "hana")
# Members of an advisor that keys.py says a rebuild doesn't bring back, and his version, which goes with the gen.
LOST_OF_ADVISOR: Final = ("gen", "ver", "missed", "online_since_ms", "idle_since_ms", "timers")


class RebuildStage:
    """``lose`` empties the store; ``rebuild`` makes it anew; ``picture`` is all of it that a rebuild brings back."""

    def __init__(self, scene: Stage, rebuilds: Rebuilds, bus: Bus, lose: Callable[[], Awaitable[None]]) -> None:
        self.scene = scene
        self.rebuilds = rebuilds
        self.bus = bus
        self.lose = lose
        self.cases: list[str] = []
        self.talks: list[str] = []
        self.relayed = 0

    def rebuilder(self, holder: str = "one", *, said: Said = lambda _: None) -> Rebuilder:
        clock = self.scene.clock
        requeue = requeueing(self.scene.policies, clock)
        return Rebuilder(POOL, self.rebuilds, self.bus, clock=clock, holder=holder, requeue=requeue, said=said)

    def gate(self, rebuilder: Rebuilder | None) -> Gate:
        clock = self.scene.clock
        return Gate(POOL, self.scene.store, self.rebuilds, self.bus, clock=clock, rebuilder=rebuilder)

    async def write(self, name: str, text: str = "hello", talk: str = "") -> Outcome:
        """An inquiry comes by the bus, as it must have come for a transcript to be rebuilt."""
        message = inquiry(name, text, talk=talk)
        head = record_head(message)
        value = json.dumps(json.loads(encode(message))).encode()  # another writer's spacing: it is re-encoded
        await self.bus.publish([Outgoing(topic=head.topic, key=head.key, value=value, headers=head.headers)])
        outcome = await self.scene.write(name, text, talk=talk)
        if name not in self.cases:
            self.cases.append(name)
        if message.conversation not in self.talks:
            self.talks.append(message.conversation)
        return outcome

    async def relay(self, *, upto: int | None = None, note: bool = True) -> None:
        """Bring the outbox to the bus, as a relay does; ``upto`` ends it in the middle."""
        store, number = self.scene.store, 0
        gen = (await store.status(POOL)).gen
        lease = await store.take(POOL)
        while entries := await store.pending(POOL, number, limit=100):
            told = [entry for entry in entries if upto is None or entry.number <= upto]
            await self.bus.publish([record for entry in told for record in records_of(POOL, entry)])
            number = entries[-1].number
            if told:
                await store.trim(POOL, lease, told[-1].number)
                self.relayed = told[-1].number
        if note and self.relayed:
            await self.bus.publish([note_record(POOL, gen, self.relayed, at_ms=self.scene.clock.now_ms())])

    async def picture(self) -> Dump:
        """Everything that keys.py says is rebuilt, in a form that doesn't change with the gen."""
        found = await _dump_of(self.scene.store, self.cases, self.talks)
        return _comparable(found)

    async def go_on(self) -> None:
        """Be a process that has learnt of the new gen."""
        await self.scene.actor.open()
        self.scene.follow()
        await self.scene.settle()


@asynccontextmanager
async def rebuild_stage(bus: Bus) -> AsyncIterator[RebuildStage]:
    """Its store is in memory."""
    async with stage() as scene:

        async def lose() -> None:
            scene.store._pools.clear()

        yield RebuildStage(scene, scene.store.rebuilds, bus, lose)


@asynccontextmanager
async def rebuild_stage_on(url: str, bus: Bus) -> AsyncIterator[RebuildStage]:
    """Its store is on that server, and stays there."""
    commands, waits = connect(url), connect(url, purpose=Purpose.BLOCKING)
    store = RedisStore(commands, waits)
    await store.open()

    async def lose() -> None:
        names = await commands.call("KEYS", prefix(POOL) + "*")
        assert isinstance(names, list)
        await commands.call("DEL", *names)

    try:
        async with stage(store=store) as scene:
            yield RebuildStage(scene, store.rebuilds, bus, lose)
    finally:
        await store.close()
        await commands.close()
        await waits.close()


# -- what can be compared


async def _dump_of(store: WholeStore, cases: list[str], talks: list[str]) -> Dump:
    return await dump_of(store, POOL, cases=cases, talks=talks)


def _comparable(found: Dump) -> Dump:
    cases = {name: _case(state) for name, state in found.cases.items()}
    talks = {name: _case(state) if state else None for name, state in found.talks.items()}
    blank: dict[str, Any] = dict.fromkeys(LOST_OF_ADVISOR)
    advisors = {name: replace(state, **blank) for name, state in found.advisors.items()}
    messages = {name: _messages(texts) for name, texts in found.messages.items()}
    return replace(
        found,
        cases=cases,
        talks=talks,
        advisors=advisors,
        messages=messages,
        work=None,
        status=None,
        changes=(),
        outbox=(),
    )


def _case(state: CaseState) -> CaseState:
    """The order of members in a JSON text says nothing."""
    return replace(state, gen=0, detail=_sorted(state.detail), why=_sorted(state.why))


def _messages(texts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(_sorted(text) for text in texts)


def _sorted(text: str) -> str:
    return json.dumps(json.loads(text), sort_keys=True)


# -- a day of random acts


class RandomDay:
    """Random acts of customers, advisors, supervisors and the clock, the same for the same seed."""

    def __init__(self, lossy: RebuildStage, seed: int) -> None:
        self._lossy = lossy
        self._scene = lossy.scene
        self._random = random.Random(seed)
        self._serial = 0

    async def open(self) -> None:
        for number, name in enumerate(PEOPLE):
            await self._scene.hire(name, budget=20 + 20 * number, skills={"billing": 7})

    async def run(self, steps: int) -> None:
        acts = [self._write] * 6 + [self._answer] * 5 + [self._work] * 8 + [self._presence, self._supervise, self._wait]
        for _ in range(steps):
            await self._random.choice(acts)()
            await self._scene.settle()

    async def _write(self) -> None:
        self._serial += 1
        old = self._random.random() < 0.3 and self._lossy.talks
        talk = self._random.choice(self._lossy.talks) if old else ""
        text = self._random.choice(("hello", "my invoice", "the machine is broken"))
        await self._lossy.write(f"q{self._serial}", text, talk)

    async def _answer(self) -> None:
        case = await self._some(lambda state: bool(state.offers))
        if case is not None:
            await self._random.choice((self._scene.accept, self._scene.accept, self._scene.decline))(case.id)

    async def _work(self) -> None:
        case = await self._some(lambda state: state.state is CaseStatus.ASSIGNED)
        if case is None:
            return
        work, mine = self._scene.casework, self._scene.request(case.owner)
        match self._random.randrange(7):
            case 0:
                await work.note(case.id, mine, text="for us only")
            case 1:
                await work.label(case.id, mine, add=("seen",))
            case 2:
                await work.pend(case.id, mine, pending=Pending(on="customer", since_ms=self._scene.clock.now_ms()))
            case 3:
                wish = Wish(someone_else=self._serial % 3 == 0)
                await work.transfer(case.id, replace(mine, wish=wish), queue="general")
            case 4:
                await work.resolve(case.id, mine, outcome="solved")
            case 5:
                await work.consult(case.id, mine, whom=Whom(skills={"billing": 5}), note="what now?")
            case _:
                await work.reply(case.id, mine, text="안녕하세요")

    async def _presence(self) -> None:
        name = self._random.choice(PEOPLE)
        presence = self._random.choice((Presence.ONLINE, Presence.ONLINE, Presence.AWAY, Presence.FINISHING))
        await self._scene.presence(name, presence)

    async def _supervise(self) -> None:
        case = await self._some(lambda state: state.state is not CaseStatus.RESOLVED)
        if case is not None and self._random.random() < 0.5:
            to = AdvisorId(self._random.choice(PEOPLE))
            await self._scene.casework.assign(case.id, self._scene.request(), to=to, over=True)
        elif case is not None:
            await self._scene.casework.requeue(case.id, self._scene.request())

    async def _wait(self) -> None:
        await self._scene.pass_s(self._random.choice((5, 40, 900, 4_000)))

    async def _some(self, wanted: Callable[[CaseState], bool]) -> CaseState | None:
        names = list(self._lossy.cases)
        self._random.shuffle(names)
        for name in names:
            state = await self._scene.store.case(POOL, CaseId(name))
            if state is not None and wanted(state):
                return state
        return None


ALL_TOPICS: Final = topics.topic_specs((POOL,), inquiry_partitions=4, partitions=4)
