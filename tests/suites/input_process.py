"""A consumer with its input in a process of its own, to be killed by what it reads, and frozen. Run as a script:

``input_process.py STORE_URL TOPIC MOST [BOOTSTRAP]``; with BOOTSTRAP the bus is Kafka, else it is in the store.

Each record is admitted as an inquiry of its own (``admitted TEXT RESULT``). One with ``!`` ends the process with
code 9. Before one with ``wait`` it says ``waiting TEXT`` and goes on with the next line of its input. At the line
``stop`` it ends in good order and says ``fenced KEPT DROPPED``.
"""

import asyncio
import os
import sys

from prometheus_client import CollectorRegistry

from router.contract.ids import CaseId, ConversationId, InquiryId, PoolId
from router.contract.plan import Plan
from router.runtime.bus.kafka import KafkaBus
from router.runtime.bus.kafka_client import KafkaOptions
from router.runtime.bus.lanes import Consumer
from router.runtime.bus.protocol import Bus, Record
from router.runtime.bus.streams import StreamsBus
from router.runtime.clock import SystemClock
from router.runtime.errors import PartitionFenced
from router.runtime.redis import Purpose, connect
from router.service.measuring.metrics import ServiceMetrics
from router.service.reading.attempts import marks_in
from router.service.reading.dead_letters import DeadLetters
from router.service.reading.input import Input
from router.service.reading.turns import Turns
from router.store.acts import Admit, Fence, Result
from router.store.redis import RedisStore

POOL = PoolId("default")
LEASE_MS = 1_000
EXIT_KILLED = 9


def say(*words: object) -> None:
    print(*words, flush=True)  # noqa: T201


class Member:
    """The handler, and the lines that it is told."""

    def __init__(self, store: RedisStore) -> None:
        self._store = store
        self._clock = SystemClock()
        self.goes_on = asyncio.Event()
        self.stops = asyncio.Event()

    async def listen(self) -> None:
        """Take the lines of the input."""
        while line := await asyncio.to_thread(sys.stdin.readline):
            if line.strip() == "stop":
                break
            self.goes_on.set()
        self.stops.set()

    async def handle(self, record: Record, fence: Fence) -> None:
        text = (record.value or b"").decode()
        if "!" in text:
            os._exit(EXIT_KILLED)
        if "wait" in text and not self.goes_on.is_set():
            say("waiting", text)
            await self.goes_on.wait()
        act = Admit(
            pool=POOL,
            gen=1,
            now_ms=self._clock.now_ms(),
            case=CaseId(text),
            conversation=ConversationId(text),
            inquiry=InquiryId(text),
            message="{}",
            channel="chat",
            units=10,
            plan=Plan(ver=0, class_key="k", score=1),
            fence=fence,
        )
        (outcome,) = await self._store.apply([act])
        say("admitted", text, outcome.result)
        if outcome.result is Result.FENCED:
            raise PartitionFenced("somebody has taken over")


def bus_of(store_url: str, bootstrap: str) -> Bus:
    if bootstrap:
        return KafkaBus(KafkaOptions(bootstrap=bootstrap, session_s=2, heartbeat_s=0.3))
    return StreamsBus(store_url, lease_ms=LEASE_MS)


async def main(store_url: str, topic: str, most: str, bootstrap: str = "") -> None:
    commands, waits = connect(store_url), connect(store_url, purpose=Purpose.BLOCKING)
    store, bus = RedisStore(commands, waits), bus_of(store_url, bootstrap)
    await store.open()
    await store.open_pool(POOL)
    metrics = ServiceMetrics(CollectorRegistry())
    member = Member(store)
    marks = marks_in(store, POOL, most=int(most), turns=Turns())
    given = Input(member.handle, marks, dead_letters=DeadLetters(bus, metrics), held=None, metrics=metrics)
    consumer = Consumer(bus, f"group.{topic}", [topic], handle=given.handle, hooks=given)
    consumer.keep(given)
    listening = asyncio.create_task(member.listen(), name="listening")
    running = asyncio.create_task(consumer.run(), name="consumer")
    await asyncio.wait((running, asyncio.create_task(member.stops.wait())), return_when=asyncio.FIRST_COMPLETED)
    consumer.stop(deadline_s=5)
    await running
    say("fenced", *(int(metrics.fenced.labels(kind)._value.get()) for kind in ("kept", "dropped")))
    await bus.close()
    await store.close()
    listening.cancel()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
