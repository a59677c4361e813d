"""What the server says of its memory, and where it says nothing."""

import pytest

from router.runtime.errors import CommandRefused, StoreUnavailable
from router.runtime.redis import connect
from router.runtime.server_memory import MemoryUse, memory_of, memory_use
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
