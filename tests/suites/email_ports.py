"""Raw ends of SMTP for tests: a client that says exactly what it is told, and a server that answers so."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress


class RawClient:
    """One connection to an SMTP port."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def answer(self) -> str:
        """The next reply, its lines joined; empty at the end of the connection."""
        lines = []
        while True:
            line = (await asyncio.wait_for(self._reader.readline(), 10)).decode()
            lines.append(line.rstrip())
            if line[3:4] != "-":
                return "\n".join(lines)

    def write(self, data: bytes) -> None:
        self._writer.write(data)

    async def say(self, line: str) -> str:
        self._writer.write(f"{line}\r\n".encode())
        return await self.answer()

    async def begin(self, sender: str = "kim@mail.example", recipient: str = "help@shop.example") -> str:
        """Everything up to DATA; the last answer."""
        await self.say("EHLO mail.example")
        await self.say(f"MAIL FROM:<{sender}>")
        await self.say(f"RCPT TO:<{recipient}>")
        return await self.say("DATA")

    async def start_tls(self) -> None:
        assert (await self.say("STARTTLS")).startswith("220")
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        await self._writer.start_tls(context)

    async def close(self) -> None:
        self._writer.close()


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[RawClient]:
    """A client whose greeting is read."""
    client = RawClient(*await asyncio.open_connection("127.0.0.1", port))
    try:
        assert (await client.answer())[:3] in ("220", "421")
        yield client
    finally:
        await client.close()


@asynccontextmanager
async def scripted(answer: Callable[[str], str]) -> AsyncIterator[tuple[int, Sequence[str]]]:
    """A server that answers each command with what ``answer`` gives for it ("" hangs up); and what it heard."""
    heard: list[str] = []
    serving: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 scripted\r\n")
        is_data = False
        while raw := await reader.readline():
            line = raw.decode("latin-1").rstrip("\r\n")
            if is_data and line != ".":
                continue
            heard.append(line)
            said = answer(line)
            is_data = line == "DATA" and said.startswith("354")
            if not said:
                return
            writer.write(f"{said}\r\n".encode())

    async def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        except ConnectionError:
            pass
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.add(asyncio.create_task(closing(reader, writer)))

    server = await asyncio.start_server(begin, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], heard
    finally:
        server.close()
        await asyncio.wait_for(asyncio.gather(*serving), 10)
        await server.wait_closed()
