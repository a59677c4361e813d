"""What the server says of its memory, and where it says nothing."""

import pytest

from router.runtime.clock import ManualClock
from router.runtime.errors import CommandRefused, StoreFull, StoreUnavailable
from router.runtime.redis import connect
from router.runtime.server_memory import MemoryUse, Room, memory_of, memory_use
from tests.servers import Server


@pytest.mark.parametrize(
    ("info", "found"),
    [
        ("# Memory\r\nused_memory:800\r\nmaxmemory:1000\r\n", MemoryUse(used_bytes=800, max_bytes=1000)),
        (
            "used_memory:800\r\nmaxmemory:1000\r\nmem_not_counted_for_evict:100\r\n",
            MemoryUse(used_bytes=700, max_bytes=1000),
        ),
        ("used_memory:800\r\nmaxmemory:0\r\n", None),
        ("used_memory:800\r\n", None),
        ("used_memory:much\r\nmaxmemory:1000\r\n", None),
        ("", None),
    ],
    ids=["limited", "less what is not counted", "no limit", "limit not shown", "unreadable", "nothing shown"],
)
def test_the_section_is_read(info: str, found: MemoryUse | None) -> None:
    assert memory_of(info) == found


async def test_a_server_that_refuses_to_tell_is_taken_as_it_is() -> None:
    async def refuse(*_: object) -> object:
        raise CommandRefused("NOPERM this user has no permissions to run the 'info' command")

    assert await memory_use(refuse) is None


async def test_a_server_that_is_away_is_not_taken_for_one_without_a_limit() -> None:
    async def fail(*_: object) -> object:
        raise StoreUnavailable("gone")

    with pytest.raises(StoreUnavailable):
        await memory_use(fail)


async def test_a_real_server_tells(own_server: Server) -> None:
    client = connect(own_server.url)
    assert await memory_use(client.call) is None
    assert own_server.ask("CONFIG SET maxmemory 100000000") == b"+OK"
    found = await memory_use(client.call)
    assert found is not None
    assert found.max_bytes == 100_000_000
    assert 0 < found.share < 1
    await client.close()


class _Told:
    """A server that uses so many per cent of its memory; None when it is away."""

    def __init__(self) -> None:
        self.percent: int | None = 0
        self.asked = 0

    async def call(self, *_: object) -> object:
        self.asked += 1
        if self.percent is None:
            raise StoreUnavailable("gone")
        return f"used_memory:{self.percent}\r\nmaxmemory:100\r\n".encode()


async def test_room_is_short_from_its_mark_until_well_below() -> None:
    told, clock = _Told(), ManualClock()
    room = Room(told.call, clock)
    found = []
    for told.percent in (79, 80, 76, 75, 74, 79, 95):
        found.append(await room.is_short())
        await clock.advance_ms(1_000)
    assert found == [False, True, True, True, False, False, True]


async def test_room_is_looked_at_once_a_second() -> None:
    told, clock = _Told(), ManualClock()
    room = Room(told.call, clock)
    for _ in range(5):
        await room.is_short()
        await clock.advance_ms(300)
    assert told.asked == 2


async def test_a_server_that_is_away_leaves_room_as_it_was() -> None:
    told, clock = _Told(), ManualClock()
    room = Room(told.call, clock)
    told.percent = 90
    assert await room.is_short()
    told.percent = None
    await clock.advance_ms(1_000)
    assert await room.is_short()


async def test_what_is_refused_for_memory_is_known_to_have_had_no_effect(own_server: Server) -> None:
    client = connect(own_server.url)
    assert own_server.ask("CONFIG SET maxmemory 1") == b"+OK"
    with pytest.raises(StoreFull):
        await client.call("SET", "k", "v")
    assert own_server.ask("CONFIG SET maxmemory 0") == b"+OK"
    assert await client.call("GET", "k") is None
    await client.close()
