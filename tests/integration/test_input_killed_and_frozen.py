"""Members of a group as processes of their own: one record kills them, and a frozen one wakes up too late."""

import asyncio
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from router.contract.topics import DEAD_LETTERS, TopicSpec
from router.runtime.bus.protocol import Outgoing
from router.runtime.dead_letters import Letter, read_letter
from router.runtime.redis import connect
from router.store.redis import RedisStore
from tests.kafka_server_fixture import unique
from tests.servers import Server
from tests.suites.eventually import eventually
from tests.suites.input_process import EXIT_KILLED, POOL, bus_of
from tests.suites.processes import freeze, thaw

PROGRAM = Path(__file__).parent.parent / "suites" / "input_process.py"
MOST = 3

pytestmark = pytest.mark.timeout(180)


class Place(NamedTuple):
    """Where the members meet."""

    store_url: str
    bootstrap: str
    topic: str

    async def open(self) -> None:
        bus = bus_of(self.store_url, self.bootstrap)
        await bus.create_topics([TopicSpec(name=self.topic, partitions=2), TopicSpec(name=DEAD_LETTERS, partitions=2)])
        await bus.close()

    async def publish(self, texts: Sequence[str]) -> None:
        bus = bus_of(self.store_url, self.bootstrap)
        await bus.publish([Outgoing(topic=self.topic, key=text[:2], value=text.encode()) for text in texts])
        await bus.close()

    async def effects(self) -> Counter[str]:
        """How often each record took effect, by the events of its case."""
        commands = connect(self.store_url)
        store = RedisStore(commands, commands)
        entries = await store.pending(POOL, 0, limit=10_000)
        await store.close()
        await commands.close()
        return Counter(str(entry.case.id) for entry in entries if entry.case is not None)

    async def letters(self) -> list[Letter]:
        bus = bus_of(self.store_url, self.bootstrap)
        found = [read_letter(record) async for record in bus.history(DEAD_LETTERS)]
        await bus.close()
        return [each for each in found if isinstance(each, Letter) and each.topic == self.topic]


class Member:
    """One process, and what it has said."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.lines: list[list[str]] = []
        self._reading = asyncio.create_task(self._read(), name="member's words")

    @property
    def pid(self) -> int:
        return self._process.pid

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self.lines.append(line.decode().split())

    def tell(self, word: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{word}\n".encode())

    def said(self, word: str) -> list[list[str]]:
        return [line[1:] for line in self.lines if line[0] == word]

    def is_over(self) -> bool:
        return self._process.returncode is not None

    async def ended(self) -> int:
        async with asyncio.timeout(60):
            await self._reading
            return await self._process.wait()


@asynccontextmanager
async def member(place: Place) -> AsyncIterator[Member]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(PROGRAM), place.store_url, place.topic, str(MOST), place.bootstrap),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    one = Member(process)
    try:
        yield one
    finally:
        if not one.is_over():
            process.kill()
        await one.ended()


@pytest.fixture(params=["streams", "kafka"])
def bootstrap(request: pytest.FixtureRequest) -> str:
    """Of Kafka; empty for the bus in the store."""
    return str(request.getfixturevalue("kafka")) if request.param == "kafka" else ""


@pytest.fixture
async def place(bootstrap: str, valkey: Server) -> Place:
    place = Place(valkey.url, bootstrap, unique("input"))
    await place.open()
    return place


def handled(*members: Member) -> set[str]:
    """What was admitted, now or before: an act may take effect whose answer its process didn't live to hear."""
    return {text for one in members for text, result in one.said("admitted") if result in {"queued", "duplicate"}}


async def test_a_record_that_kills_its_process_is_put_aside_and_nothing_else_is_lost_or_twice(place: Place) -> None:
    texts = [f"k{key}-{number}" for number in range(10) for key in range(6)]
    await place.publish([*texts[:30], "k3-!", *texts[30:]])
    lives: list[Member] = []
    for _ in range(MOST):
        async with member(place) as one:
            assert await one.ended() == EXIT_KILLED
            lives.append(one)
    async with member(place) as last:
        lives.append(last)
        await eventually(lambda: handled(*lives) == set(texts), within_s=60)
        await eventually(place.letters, within_s=30)
        last.tell("stop")
        assert await last.ended() == 0
    assert await place.effects() == Counter(texts)
    (letter,) = await place.letters()
    assert letter.value == b"k3-!"
    assert letter.reason == f"KeepsKilling: handling it has ended the process {MOST} times"


async def test_one_that_wakes_up_after_another_took_over_is_refused_and_steps_down(place: Place) -> None:
    texts = [f"k{key}-{number}" for number in range(3) for key in range(6)]
    await place.publish([*texts, "k1-wait"])
    async with member(place) as zombie:
        await eventually(lambda: zombie.said("waiting"), within_s=60)
        freeze(zombie.pid)
        async with member(place) as heir:
            heir.tell("go on")
            await eventually(lambda: "k1-wait" in handled(heir), within_s=60)
            zombie.tell("go on")
            thaw(zombie.pid)
            await eventually(lambda: ["k1-wait", "fenced"] in zombie.said("admitted"), within_s=30)
            late = [f"k{key}-late" for key in range(6)]
            await place.publish(late)
            await eventually(lambda: set(late) <= handled(zombie, heir), within_s=60)
            heir.tell("stop")
            assert await heir.ended() == 0
        # It is a member like any other again: what comes now is its own.
        last = [f"k{key}-last" for key in range(6)]
        await place.publish(last)
        await eventually(lambda: set(last) <= handled(zombie), within_s=60)
        zombie.tell("stop")
        assert await zombie.ended() == 0
    assert await place.effects() == Counter([*texts, "k1-wait", *late, *last])
    assert await place.letters() == []
