"""The list of keys against a server: what is there is listed, what is listed is there, and acts keep to it."""

import asyncio
import re
from collections.abc import AsyncIterator
from importlib import resources

import pytest

from router.contract.ids import PoolId
from router.contract.topics import topic_specs
from router.runtime.redis import RedisClient, connect
from router.store import keys
from router.store.keys import KEYS, KeyType, kind_of, prefix
from router.store.library import ACTS
from tests.servers import Server
from tests.suites.store.bench import POOL, Desk
from tests.suites.store.benches import redis_desk
from tests.suites.store.day import a_day

WRITES = frozenset({"HSET", "HDEL", "HINCRBY", "ZADD", "ZREM", "RPUSH", "LTRIM", "DEL", "XADD", "XTRIM", "SET"})


@pytest.fixture
async def after(redis_server: Server) -> AsyncIterator[Desk]:
    """A desk after its day."""
    async with redis_desk(redis_server.url) as desk:
        await a_day(desk)
        yield desk


@pytest.mark.parametrize("pool", ["", "a}b", "{a"])
def test_a_pool_that_would_break_the_hash_tag_is_refused(pool: str) -> None:
    with pytest.raises(ValueError, match="can't name a pool"):
        prefix(PoolId(pool))


def test_each_key_says_where_a_rebuild_takes_it_from() -> None:
    names = {spec.name for spec in topic_specs((PoolId("<pool>"),))}
    for key in KEYS:
        if key.rebuilt_from not in {keys.DERIVED, keys.VOLATILE}:
            assert set(key.rebuilt_from) <= names, key.name


def test_no_stem_begins_another() -> None:
    stems = [key.stem for key in KEYS]
    assert len(set(stems)) == len(stems)
    for key in KEYS:
        assert kind_of(POOL, keys.key(POOL, key.name, "x" if key.of else "")) is key


def test_a_stranger_is_no_key_of_ours() -> None:
    assert kind_of(POOL, prefix(POOL) + "cases") is None
    assert kind_of(PoolId("other"), keys.key(POOL, "meta")) is None


@pytest.mark.usefixtures("after")
async def test_the_keys_on_a_server_are_those_of_the_list(client: RedisClient) -> None:
    seen = set()
    for name in await _keys(client):
        key = kind_of(POOL, name)
        assert key is not None, name
        assert await client.call("TYPE", name) == key.type.encode(), name
        seen.add(key.name)
    assert seen == {key.name for key in KEYS} - {"rebuild"}  # that one is there during a rebuild only


@pytest.mark.usefixtures("after")
async def test_members_of_the_pools_row_are_listed(client: RedisClient) -> None:
    (meta,) = (key for key in KEYS if key.name == "meta")
    found = await _list(client, "HKEYS", keys.key(POOL, "meta"))
    assert set(found) == set(meta.members.split(", "))


@pytest.mark.usefixtures("after")
async def test_nothing_is_left_of_a_closed_case(client: RedisClient) -> None:
    assert not [name for name in await _keys(client) if name.endswith("c3")]
    assert not [
        timer for timer in await _list(client, "ZRANGE", keys.key(POOL, "timers"), "0", "-1") if "|c3|" in timer
    ]


async def test_what_is_counted_is_what_waits(after: Desk, client: RedisClient) -> None:
    status = await after.store.status(POOL)
    lines = [name for name in await _keys(client) if name.startswith(keys.key(POOL, "line"))]
    waiting = [await _list(client, "ZRANGE", name, "0", "-1") for name in lines]
    assert status.queued == sum(len(line) for line in waiting) > 0
    assert status.classes == len(lines)


class Trace:
    """What the functions on a server do, call by call: (function, [(command, key), ...])."""

    def __init__(self, lines: list[str]) -> None:
        self.calls: list[tuple[str, list[tuple[str, ...]]]] = []
        for line in lines:
            words = re.findall(r'"((?:[^"\\]|\\.)*)"', line)
            if "FCALL" in words[0]:
                self.calls.append((words[1].split("_", 2)[2], []))
            elif " lua]" in line:
                self.calls[-1][1].append(tuple(words))


async def _traced(server: Server) -> Trace:
    """A day at the desk while the server tells what it executes."""
    async with redis_desk(server.url) as desk:
        reader, writer = await asyncio.open_unix_connection(str(server.socket), limit=1 << 20)
        writer.write(b"MONITOR\r\n")
        assert await reader.readline() == b"+OK\r\n"
        await a_day(desk)
        client = connect(server.url)
        await client.call("ECHO", "the end")
        await client.close()
        lines: list[str] = []
        while "the end" not in (line := (await reader.readline()).decode("utf-8", "replace")):
            lines.append(line)
        writer.close()
        await writer.wait_closed()
    return Trace(lines)


async def test_every_key_is_touched_before_the_first_write(redis_server: Server) -> None:
    """A live reshard makes the first touch of a key fail: no act may be torn by it."""
    trace = await _traced(redis_server)
    assert {name for name, _ in trace.calls} >= set(ACTS)
    for name, commands in trace.calls:
        touched: set[str] = set()
        has_written = False
        for command, *words in commands:
            named = set(words) if command == "EXISTS" else set(words[:1])
            if has_written:
                assert named <= touched, (name, command, words[0])
            has_written = has_written or command in WRITES
            touched |= named


async def test_each_act_keeps_to_the_keys_of_its_header(redis_server: Server) -> None:
    trace = await _traced(redis_server)
    for name, commands in trace.calls:
        listed = _header(name)
        for command, *words in commands:
            if command in {"EXISTS", "TIME"} or words[0] == prefix(POOL) + keys.WITNESS:
                continue
            key = kind_of(POOL, words[0])
            assert key is not None, words[0]
            assert key.name in listed, (name, command, key.name)
            assert not (command in WRITES and listed[key.name] == "read"), (name, command, key.name)


def _header(name: str) -> dict[str, str]:
    """The keys that a file's header lists, with how they are used. Every act reads the pool's row."""
    text = resources.files("router.store").joinpath("lua", f"{name}.lua").read_text(encoding="utf-8")
    found = re.search(r"Keys( \(read\))?: ([^.]*)\.", text.split("\n\n", 1)[0].replace("\n-- ", " "))
    assert found is not None
    listed = {}
    for entry in re.split(r"[,;] ", found[2]):
        is_read = bool(found[1]) or entry.endswith(" (read)")
        listed[entry.removesuffix(" (read)")] = "read" if is_read else "written"
    return listed


def test_types_are_those_of_the_server() -> None:
    assert {kind.value for kind in KeyType} == {"hash", "list", "zset", "stream"}


async def _keys(client: RedisClient) -> list[str]:
    names = await _list(client, "KEYS", prefix(POOL) + "*")
    return [name for name in names if name != prefix(POOL) + keys.WITNESS]


async def _list(client: RedisClient, *command: str) -> list[str]:
    reply = await client.call(*command)
    assert isinstance(reply, list)
    return [item.decode() for item in reply]
