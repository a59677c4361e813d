"""An installation in several processes: routers of their own, and one process with everything else."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from router.contract import topics
from router.contract.events import CaseEvent
from router.runtime.bus.kafka import KafkaBus
from router.runtime.bus.kafka_client import KafkaOptions
from router.runtime.bus.protocol import Bus, Tail
from router.runtime.bus.streams import StreamsBus
from router.runtime.plugin_catalog import PluginCatalog
from router.runtime.run_file import RunFile
from router.runtime.simulators import Entrance, Simulator
from router.service.following import follow
from tests.suites.crowd import Customers, Line, Watch
from tests.suites.crowd_account import Chronicle, Story
from tests.suites.crowd_advisor import Worker
from tests.suites.eventually import eventually
from tests.suites.installation import Advisor, Process

SETTLED_S = 60.0
ADMITTED = 'turnout_inquiries_total{outcome="admitted"}'


class Fleet:
    """The processes, and everything around them."""

    def __init__(self, routers: Sequence[Process], edge: Process, bus: Bus) -> None:
        self.routers = list(routers)
        self.edge = edge
        self.bus = bus
        self.line = Line()
        self.watch = Watch()
        self.customers: Customers
        self.keys: dict[str, str] = {}
        self.http = aiohttp.ClientSession()
        self._running: dict[int, RunFile] = {}
        self._api = ""
        self._told = Chronicle("default")
        self._tail: Tail
        self._following: asyncio.Task[None]

    async def start(self) -> None:
        """All at once: who comes first makes the topics."""
        running = await asyncio.gather(*(process.start() for process in (*self.routers, self.edge)))
        self._running = dict(enumerate(running[:-1]))
        self.keys = json.loads(self.edge.run("keys", "create", "--each-advisor", "--json"))
        self._api = running[-1].api
        self.line.open(self._api)
        self._tail = await self.bus.tail(topics.EVENTS, since_ms=0)
        self._following = asyncio.create_task(follow(self._tail, self._told.take), name="events")

    async def enter(self, simulator: Simulator) -> None:
        """Let the customers in: tell them where the channel listens."""
        found = await eventually(self._channel_url)
        await simulator.enter(Entrance(base_url=found))
        self.customers = Customers(simulator, self.line, self.watch, seed=0)

    def _channel_url(self) -> str:
        run = (self.edge.data / "run.json").read_bytes()
        return str(json.loads(run)["channels"]["webhook"])

    def kill(self, place: int) -> None:
        """SIGKILL a router."""
        self.routers[place].kill()
        del self._running[place]

    async def restart(self, place: int) -> None:
        self._running[place] = await self.routers[place].start()

    async def metric(self, name: str) -> dict[int, float]:
        """A counter, by the routers that run."""
        return {place: await self._read(found.ops, name) for place, found in self._running.items()}

    async def _read(self, ops: str, name: str) -> float:
        async with self.http.get(f"{ops}/metrics") as answer:
            for line in (await answer.text()).splitlines():
                if line.startswith(f"{name} "):
                    return float(line.rsplit(" ", 1)[1])
        raise AssertionError(f"{ops} has no metric {name}")

    # -- people

    @asynccontextmanager
    async def at_desks(self, names: Sequence[str], *, presence: str = "online") -> AsyncIterator[list[Advisor]]:
        """Advisors with open sessions; they are offline afterwards."""
        async with AsyncExitStack() as stack:
            people = [await self._sign_in(stack, name) for name in names]
            await asyncio.gather(*(person.ask("presence", presence=presence) for person in people))
            try:
                yield people
            finally:
                await asyncio.gather(*(person.ask("presence", presence="offline") for person in people))

    async def _sign_in(self, stack: AsyncExitStack, name: str) -> Advisor:
        socket = await stack.enter_async_context(self.http.ws_connect(f"{self._api}/v1/session"))
        await socket.send_json({"type": "hello", "key": self.keys[name]})
        async with asyncio.timeout(30):
            welcome = json.loads(await socket.receive_str())
        assert welcome["type"] == "welcome", welcome
        return Advisor(socket, welcome)

    @asynccontextmanager
    async def at_work(self, names: Sequence[str], *, missed: set[str] | None = None) -> AsyncIterator[list[Worker]]:
        """Advisors who work through what comes, and are offline afterwards."""
        workers = [Worker(name, self.keys[name], self.line, self.watch, missed=missed) for name in names]
        tasks = [asyncio.create_task(worker.run(self.http), name=worker.name) for worker in workers]
        try:
            yield workers
            await asyncio.gather(*(worker.ask("presence", presence="offline") for worker in workers))
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            failed = [end for end in ended if not isinstance(end, asyncio.CancelledError)]
            assert not failed, failed

    # -- cases

    async def write(self, topic: str, count: int) -> set[str]:
        """So many customers write at once, each about ``topic`` in a conversation of his own; their cases."""
        names = [f"{topic}-{number}" for number in range(count)]
        talks = await asyncio.gather(*(self.customers.say(name, name, f"about {topic}") for name in names))
        return {talk.ids[0] for talk in talks}

    async def told(self, cases: set[str], state: str, *, within_s: float = SETTLED_S) -> Story:
        """What the bus tells of these cases, once all are in that state."""

        def states() -> Counter[str]:
            assert not self._following.done(), "the events can't be followed"
            return Counter(str(self._told.last[case].case.state) for case in cases & self._told.last.keys())

        try:
            await eventually(lambda: states()[state] == len(cases), within_s=within_s)
        except AssertionError as exc:
            raise AssertionError(f"of {len(cases)} cases not all are {state}: {states()}") from exc
        return self._told.story(cases)

    async def nothing_was_swept(self) -> None:
        found = await self.metric("turnout_sweep_found_total")
        assert set(found.values()) == {0}, found
        letters = await self.metric("turnout_dead_letters_total")
        assert set(letters.values()) == {0}, letters

    async def close(self) -> None:
        """Stop everything."""
        self._following.cancel()
        await asyncio.gather(self._following, return_exceptions=True)
        await self._tail.close()
        await self.bus.close()
        await self.http.close()
        stopping = [asyncio.to_thread(process.stop) for process in (*self.routers, self.edge)]
        await asyncio.gather(*stopping)


def offered_to(events: Sequence[CaseEvent]) -> list[str]:
    """Whom a case was offered to, one entry an offer, in order."""
    seen: dict[tuple[str, int], None] = {}
    for event in events:
        for offer in event.case.offers:
            seen[offer.advisor, offer.ver] = None
    return [advisor for advisor, _ in seen]


@asynccontextmanager
async def fleet(folder: Path, *, routers: int, more: dict[str, Any]) -> AsyncIterator[Fleet]:
    """So many routers and an edge, running; ``more`` names the store and the bus."""
    simulator = PluginCatalog().simulator("webhook")
    options = dict(await simulator.start("webhook-account"))
    settings = {
        "http": {"channels_port": 0, "api_port": 0, "ops_port": 0},
        "accounts": {"webhook-account": {"channel": "webhook", "options": options}},
        **more,
    }
    parts = [
        Process(folder, {**settings, "data_dir": str(folder / name)}, roles=roles, name=name)
        for name, roles in (
            *((f"router-{number}", ("router",)) for number in range(routers)),
            ("edge", ("relay", "api", "channels")),
        )
    ]
    place = Fleet(parts[:-1], parts[-1], _bus(more))
    try:
        await place.start()
        await place.enter(simulator)
        yield place
    finally:
        await simulator.close()
        await place.close()


def _bus(more: dict[str, Any]) -> Bus:
    if more["bus"].get("kind") == "kafka":
        return KafkaBus(KafkaOptions(bootstrap=",".join(more["kafka"]["bootstrap"])))
    return StreamsBus(more["redis"]["url"])
