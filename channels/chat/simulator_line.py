"""The line between customers and the channel: a relay that can be cut in the middle of a frame."""

import asyncio
from collections import Counter
from contextlib import suppress
from enum import StrEnum
from typing import Final

_CHUNK_BYTES: Final = 65_536


class Way(StrEnum):
    UP = "up"
    DOWN = "down"


class Line:
    """Listens on loopback and passes everything on to ``target``. ``cuts`` counts the lines that were cut."""

    def __init__(self) -> None:
        self.target: tuple[str, int] | None = None
        self.cuts = 0
        self._wanted: Counter[Way] = Counter()
        self._server: asyncio.Server | None = None
        self._running: set[asyncio.Task[None]] = set()
        self._transports: set[asyncio.WriteTransport] = set()
        self._is_closed = False

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0)

    @property
    def port(self) -> int:
        assert self._server is not None, "start first"
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def cut(self, way: Way) -> None:
        """Of what goes this way next after a handshake, withhold the last byte, and reset both ends: a frame
        arrives in part."""
        self._wanted[way] += 1

    def drop(self) -> None:
        """Reset every line that is up."""
        for transport in self._transports:
            transport.abort()

    async def close(self) -> None:
        self._is_closed = True
        if self._server is not None:
            self._server.close()
        await asyncio.sleep(0)  # lets those begin, and end, whose connection was accepted just now
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_closed:
            writer.transport.abort()
            return
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        try:
            await self._connect(reader, writer)
        except asyncio.CancelledError:
            writer.transport.abort()  # at the end; the loop would report it as an error of the server
        finally:
            self._running.discard(task)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            assert self.target is not None, "nobody is there"
            far_reader, far_writer = await asyncio.open_connection(*self.target)
        except OSError:
            writer.transport.abort()
            return
        ends = {writer.transport, far_writer.transport}
        self._transports |= ends
        broken = asyncio.Event()
        ways = [
            asyncio.create_task(self._pass(Way.UP, reader, far_writer, broken), name="line-up"),
            asyncio.create_task(self._pass(Way.DOWN, far_reader, writer, broken), name="line-down"),
        ]
        try:
            # A side that ends has said all; what is still under way in the other direction is of no use.
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            # Before anything is awaited: a close of the line may cancel right here.
            self._transports -= ends
            far_writer.close()
            writer.close()
            for task in ways:
                task.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
        if broken.is_set():
            for transport in ends:
                transport.abort()

    async def _pass(
        self, way: Way, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, broken: asyncio.Event
    ) -> None:
        is_shaken = False
        with suppress(ConnectionError):
            while (chunk := await reader.read(_CHUNK_BYTES)) and not broken.is_set():
                if is_shaken and self._wanted[way]:
                    self._wanted[way] -= 1
                    self.cuts += 1
                    broken.set()
                    writer.write(chunk[:-1])
                    return
                writer.write(chunk)
                await writer.drain()
                is_shaken = True
