"""The proxy itself: each misdeed is seen by the client, takes place once told, is counted, and ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.suites.eventually import eventually
from tests.suites.faults.proxy import Bite, Proxy, Streams, to_port

SHORT_S = 0.15


class EchoServer:
    """Answers every line with itself, and remembers the lines."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.open = 0
        self._server: asyncio.Server

    async def start(self) -> int:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        try:
            while line := await reader.readline():
                self.lines.append(line)
                writer.write(line)
                await writer.drain()
        except OSError:
            pass
        finally:
            self.open -= 1
            writer.close()

    async def close(self) -> None:
        self._server.close()
        await self._server.wait_closed()


class Client:
    """One connection through the proxy."""

    def __init__(self, streams: Streams) -> None:
        self._reader, self._writer = streams

    async def say(self, line: bytes) -> None:
        self._writer.write(line)
        await self._writer.drain()

    async def hear(self) -> bytes:
        """The next line; empty at the connection's end."""
        try:
            async with asyncio.timeout(5):
                return await self._reader.readline()
        except ConnectionError:
            return b""

    async def ask(self, line: bytes) -> bytes:
        await self.say(line)
        return await self.hear()

    async def hears_nothing(self) -> bool:
        try:
            async with asyncio.timeout(SHORT_S):
                await self._reader.readline()
        except TimeoutError:
            return True
        except ConnectionError:
            return False
        return False

    def close(self) -> None:
        self._writer.close()


class Place:
    """A server, the proxy before it, and clients."""

    def __init__(self, server: EchoServer, proxy: Proxy) -> None:
        self.server = server
        self.proxy = proxy
        self._clients: list[Client] = []

    async def client(self) -> Client:
        client = Client(await asyncio.open_connection("127.0.0.1", self.proxy.port))
        self._clients.append(client)
        return client

    def close(self) -> None:
        for client in self._clients:
            client.close()


@asynccontextmanager
async def place() -> AsyncIterator[Place]:
    server = EchoServer()
    proxy = Proxy(to_port(await server.start()))
    await proxy.open()
    scene = Place(server, proxy)
    try:
        yield scene
    finally:
        scene.close()
        await proxy.close()
        await server.close()


async def test_what_passes_is_unchanged() -> None:
    async with place() as scene:
        client = await scene.client()
        assert await client.ask(b"one\n") == b"one\n"
        assert await client.ask(b"x" * 30_000 + b"\n") == b"x" * 30_000 + b"\n"
        assert scene.proxy.connections == 1
        assert not scene.proxy.bites


async def test_a_cut_ends_every_connection_and_new_ones_pass() -> None:
    async with place() as scene:
        clients = [await scene.client() for _ in range(3)]
        assert [await client.ask(b"a\n") for client in clients] == [b"a\n"] * 3
        scene.proxy.cut()
        assert [await client.hear() for client in clients] == [b""] * 3
        assert scene.proxy.bites == {Bite.CUT: 3}
        assert await (await scene.client()).ask(b"again\n") == b"again\n"


async def test_who_is_refused_gets_nothing_until_it_ends() -> None:
    async with place() as scene:
        scene.proxy.refuse()
        assert await (await scene.client()).hear() == b""
        assert scene.proxy.bites == {Bite.REFUSED: 1}
        scene.proxy.behave()
        assert await (await scene.client()).ask(b"a\n") == b"a\n"


async def test_a_black_hole_keeps_what_was_said_for_later() -> None:
    async with place() as scene:
        client = await scene.client()
        scene.proxy.hold()
        await client.say(b"held\n")
        assert await client.hears_nothing()
        assert scene.server.lines == []
        scene.proxy.release()
        assert await client.hear() == b"held\n"
        assert scene.proxy.bites[Bite.HELD] == 1


async def test_a_delay_keeps_the_order() -> None:
    async with place() as scene:
        client = await scene.client()
        scene.proxy.delay(0.05)
        begun = asyncio.get_running_loop().time()
        for line in (b"1\n", b"2\n"):
            assert await client.ask(line) == line
        assert asyncio.get_running_loop().time() - begun >= 0.2
        assert scene.proxy.bites[Bite.DELAYED] >= 4
        scene.proxy.delay(0)
        assert await client.ask(b"3\n") == b"3\n"


async def test_a_half_open_connection_is_dead_on_one_side_only() -> None:
    async with place() as scene:
        client = await scene.client()
        assert await client.ask(b"a\n") == b"a\n"
        scene.proxy.half_open()
        await eventually(lambda: scene.server.open == 0)
        await client.say(b"b\n")
        assert await client.hears_nothing()
        assert scene.server.lines == [b"a\n"]
        assert scene.proxy.bites == {Bite.HALF_OPENED: 1, Bite.SWALLOWED: 1}
        assert await (await scene.client()).ask(b"c\n") == b"c\n"


async def test_a_lost_reply_was_served_and_its_connection_is_gone() -> None:
    async with place() as scene:
        scene.proxy.lose_reply_to(lambda chunk: b"write" in chunk)
        client = await scene.client()
        assert await client.ask(b"read\n") == b"read\n"
        assert await client.ask(b"write\n") == b""
        assert scene.server.lines == [b"read\n", b"write\n"]
        assert scene.proxy.bites == {Bite.REPLY_LOST: 1}
        assert await (await scene.client()).ask(b"write it anew\n") == b"write it anew\n"
        assert not scene.proxy.bites[Bite.REPEATED]
        assert await (await scene.client()).ask(b"write\n") == b"write\n"
        assert scene.proxy.bites[Bite.REPEATED] == 1


async def test_of_a_request_that_is_cut_within_the_server_sees_one_half() -> None:
    async with place() as scene:
        scene.proxy.cut_within(lambda chunk: b"second" in chunk)
        client = await scene.client()
        assert await client.ask(b"first0\nsecond\n") == b""
        await eventually(lambda: scene.server.open == 0)
        assert b"second\n" not in scene.server.lines
        assert scene.proxy.bites == {Bite.CUT_WITHIN: 1}


async def test_while_replies_are_lost_requests_arrive() -> None:
    async with place() as scene:
        client = await scene.client()
        scene.proxy.lose_replies()
        await client.say(b"a\n")
        assert await client.hears_nothing()
        assert scene.server.lines == [b"a\n"]
        scene.proxy.behave()
        assert await client.hear() == b""
        assert scene.proxy.bites == {Bite.SWALLOWED: 1, Bite.CUT: 1}


@pytest.mark.parametrize("end", ["client", "server"])
async def test_an_end_of_either_side_is_passed_on(end: str) -> None:
    async with place() as scene:
        client = await scene.client()
        assert await client.ask(b"a\n") == b"a\n"
        if end == "client":
            client.close()
            await eventually(lambda: scene.server.open == 0)
        else:
            scene.proxy.cut()
            assert await client.hear() == b""
        await eventually(lambda: scene.proxy.connections == 0)
