"""The time from an inquiry on the bus to its offer, while inquiries come at a steady rate."""

import asyncio
import time
from collections.abc import Mapping
from typing import Final

from router.contract.advisor import AdvisorState, WorkKind
from router.contract.ids import InquiryId, PoolId, case_id
from router.contract.messages import Inquiry
from router.runtime.clock import SystemClock
from tests.bench.bare import BareLoop
from tests.bench.ground import Ground, batches
from tests.bench.results import Sample, percentile
from tests.bench.script import Author
from tests.bench.traffic import inquiry, record

_TICK_MS: Final = 10
_WARMING: Final = 0.5


async def measure(ground: Ground, run: int) -> Sample:
    """Service: until the roster's tail shows the offer. Bare loop: until its pipeline has answered. Both times begin
    when the bus has confirmed the inquiry; ``with_publish`` begins when it was handed to the bus. The first half
    of the inquiries, ten seconds of them, warms up and isn't counted: new topics, cold connections, and a broker that
    compiles itself meanwhile, which takes one and a half processors.

    The customers share the router's process, so their work counts as delay of the service, too."""
    scale = ground.scale
    bare, served = PoolId(f"pace-bare-{run}"), PoolId(f"pace-{run}")
    bare_ms = await _bare(ground, bare, [inquiry(bare, number) for number in range(scale.paced)])
    messages = [inquiry(served, number) for number in range(scale.paced)]
    await ground.load(served, [])
    await ground.reset(served)
    offered = _Offers(messages)
    async with ground.service(served, ready=True) as desk:
        desk.tail.listen(offered.look)
        source = _Source(ground, messages)
        async with asyncio.timeout(scale.longest_s):
            await source.run()
            await offered.complete.wait()
    waited, whole = source.waits(offered.at), source.waits(offered.at, with_publish=True)
    parts = {
        "p50": (percentile(waited, 0.5) * 1000, "ms"),
        "with_publish_p50": (percentile(whole, 0.5) * 1000, "ms"),
        "with_publish_p99": (percentile(whole, 0.99) * 1000, "ms"),
        "bare_p50": (percentile(bare_ms, 0.5) * 1000, "ms"),
        "came": (source.rate, "inquiries/s"),
    }
    return Sample(value=percentile(waited, 0.99) * 1000, baseline=percentile(bare_ms, 0.99) * 1000, parts=parts)


async def _bare(ground: Ground, pool: PoolId, messages: list[Inquiry]) -> list[float]:
    await ground.load(pool, [])
    author = Author(ground, pool)
    await author.open()
    loop = BareLoop(ground, pool, {message.id: await author.admit(message) for message in messages})
    await ground.reset(pool)
    source = _Source(ground, messages)
    async with asyncio.TaskGroup() as group:
        group.create_task(loop.run(f"bare-{pool}", batch=max(ground.scale.batches)))
        await loop.joined.wait()
        group.create_task(source.run())
    return source.waits(loop.offered)


class _Source:
    """Publishes at the ground's rate, a few every tick, never waiting for an answer before the next."""

    def __init__(self, ground: Ground, messages: list[Inquiry]) -> None:
        self._ground = ground
        self._messages = messages
        self._clock = SystemClock()
        self.handed: dict[InquiryId, float] = {}
        self._on_bus: dict[InquiryId, float] = {}

    @property
    def rate(self) -> float:
        """Inquiries a second, as they were really handed over."""
        times = sorted(self.handed.values())
        return (len(times) - 1) / max(times[-1] - times[0], 1e-9)

    def waits(self, offered: Mapping[InquiryId, float], *, with_publish: bool = False) -> list[float]:
        """Seconds from the bus (or from handing over) to the offer; 0 where it was seen before the bus's answer."""
        counted = self._messages[int(len(self._messages) * _WARMING) :]
        began = self.handed if with_publish else self._on_bus
        return [max(0.0, offered[one.id] - began[one.id]) for one in counted]

    async def run(self) -> None:
        began = self._clock.now_ms()
        size = max(1, self._ground.scale.rate * _TICK_MS // 1000)
        async with asyncio.TaskGroup() as group:
            for number, batch in enumerate(batches(self._messages, size)):
                await self._clock.sleep_until_ms(began + number * _TICK_MS)
                group.create_task(self._publish(list(batch)))

    async def _publish(self, messages: list[Inquiry]) -> None:
        handed = time.monotonic()
        self.handed |= {one.id: handed for one in messages}
        await self._ground.bus.publish([record(one) for one in messages])
        on_bus = time.monotonic()
        self._on_bus |= {one.id: on_bus for one in messages}


class _Offers:
    """When the roster's tail first showed each case as an offer."""

    def __init__(self, messages: list[Inquiry]) -> None:
        self._wanted: dict[str, InquiryId] = {case_id(one.id): one.id for one in messages}
        self.at: dict[InquiryId, float] = {}
        self.complete = asyncio.Event()

    def look(self, state: AdvisorState) -> None:
        now = time.monotonic()
        for case, work in state.work.items():
            inquiry_id = self._wanted.get(case)
            if inquiry_id is not None and work.kind is WorkKind.OFFER and inquiry_id not in self.at:
                self.at[inquiry_id] = now
        if len(self.at) == len(self._wanted):
            self.complete.set()
