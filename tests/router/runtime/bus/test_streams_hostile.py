"""Members that freeze, leave and join while the server is killed: nothing lost, nothing committed ahead."""

import contextlib
from collections import defaultdict
from contextlib import AsyncExitStack
from functools import partial
from random import Random
from typing import cast

import pytest

from router.contract.topics import TopicSpec
from router.runtime.bus.protocol import Outgoing
from router.runtime.bus.streams import StreamsBus
from router.runtime.errors import BusUnavailable, StoreUnavailable
from router.runtime.keys import BusKeys
from router.runtime.redis import connect
from tests.servers import Server
from tests.suites.bus_checks import PATIENCE_S, check_order_by_key, records_of
from tests.suites.bus_members import Handled, Member
from tests.suites.eventually import eventually

ROUNDS = 40
PARTITIONS = 6


class _Stubborn(Member):
    """Goes on when the server is away."""

    async def step(self, *, max_records: int = 7) -> int:
        try:
            return await super().step(max_records=max_records)
        except BusUnavailable:
            return 0


class _Scene:
    def __init__(self, server: Server, random: Random, stack: AsyncExitStack) -> None:
        self._server = server
        self._random = random
        self._stack = stack
        self._members: list[_Stubborn] = []
        self._leaving: dict[str, AsyncExitStack] = {}
        self._reader = connect(server.url)
        self.bus = StreamsBus(server.url)
        self.handled = Handled()

    async def join(self) -> None:
        bus = StreamsBus(self._server.url, lease_ms=300, stop_s=2)
        name = f"m{len(self._leaving)}"
        member = _Stubborn(bus, "g", "t", name=name, handled=self.handled)
        own = self._leaving[name] = AsyncExitStack()
        self._stack.push_async_callback(own.aclose)
        own.push_async_callback(bus.close)
        await own.enter_async_context(member.running())
        self._members.append(member)

    async def leave(self) -> None:
        if len(self._members) > 1:
            member = self._members.pop(self._random.randrange(len(self._members)))
            await self._leaving[member.name].aclose()
        if not any(member.go_on.is_set() for member in self._members):
            self._members[0].go_on.set()

    async def freeze_or_thaw(self) -> None:
        member = self._random.choice(self._members)
        if member.go_on.is_set() and any(m.go_on.is_set() for m in self._members if m is not member):
            member.go_on.clear()
        else:
            member.go_on.set()

    async def kill_server(self) -> None:
        self._server.kill()
        self._server.start()

    async def publish(self, records: list[Outgoing]) -> None:
        """As a relay does: until it is confirmed, in order."""
        while True:
            try:
                await self.bus.publish(records)
            except BusUnavailable:
                continue
            return

    def has_more_than(self, count: int) -> bool:
        return len(self.handled.records) > count

    async def check_cursors(self) -> None:
        """Every cursor has only handled records behind it."""
        flat = await self._cursors()
        done: dict[int, set[int]] = defaultdict(set)
        for _, record in self.handled.records:
            done[record.partition.number].add(record.offset)
        for field, cursor in zip(flat[::2], flat[1::2], strict=True):
            number = int(field.split(b"/")[0])
            assert set(range(int(cursor))) <= done[number]

    async def _cursors(self) -> list[bytes]:
        while True:
            with contextlib.suppress(StoreUnavailable):
                return cast("list[bytes]", await self._reader.call("HGETALL", BusKeys().cursors("t")))

    async def close(self) -> None:
        for member in self._members:
            member.go_on.set()
        await self._reader.close()
        await self.bus.close()


@pytest.mark.parametrize("seed", range(3))
async def test_nothing_is_lost_and_nothing_committed_ahead(own_server: Server, seed: int) -> None:
    random = Random(seed)
    async with AsyncExitStack() as stack:
        scene = _Scene(own_server, random, stack)
        await scene.bus.create_topics([TopicSpec(name="t", partitions=PARTITIONS)])
        await scene.join()
        await scene.join()
        stack.push_async_callback(scene.close)
        acts = [scene.join, scene.leave, scene.freeze_or_thaw, scene.freeze_or_thaw, scene.kill_server]
        for number in range(ROUNDS):
            more = partial(scene.has_more_than, len(scene.handled.records))
            await scene.publish(records_of("t", *(f"k{n}:{number}" for n in range(30))))
            await random.choice(acts)()
            await eventually(more, within_s=PATIENCE_S)
            await scene.check_cursors()
        await eventually(lambda: len(set(scene.handled.values())) == 30 * ROUNDS, within_s=PATIENCE_S)
        await scene.check_cursors()
    check_order_by_key(scene.handled.values(), ROUNDS)
