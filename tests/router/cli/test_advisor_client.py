"""The terminal client against a service that says what the test wants."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import msgspec
from aiohttp import web
from aiohttp.test_utils import TestServer

from router.cli.advisor_client import Client, Ending
from router.cli.advisor_text import Line, plain

Frame = dict[str, Any]
WORK = {
    "case": "c1",
    "kind": "case",
    "queue": "billing",
    "channel": "email",
    "units": 10,
    "priority": 3,
    "conversation": "t1",
    "ver": 3,
    "subject": "Invoice",
    "customer": "Ann",
    "inquiry": "i1",
}
CASE = {
    "id": "c1",
    "state": "assigned",
    "ver": 4,
    "queue": "billing",
    "channel": "email",
    "priority": 3,
    "conversation": "t1",
    "account": "a",
    "customer": "ann",
    "units": 10,
    "inquiries": 2,
    "rulebook": "h",
    "opened_at": "2026-11-22T05:00:00Z",
    "changed_at": "2026-11-22T05:00:00Z",
    "last_inquiry": "i2",
}
WELCOME = {"type": "welcome", "advisor": "mina", "presence": "online", "connection": 1, "pool": "default"}


class Paper:
    """A terminal: types the lines one by one, each when ``after`` was shown; keeps what it is shown."""

    width = None
    is_interactive = True

    def __init__(self, *typed: tuple[str, str]) -> None:
        self.shown: list[str] = []
        self._typed = list(typed)
        self._news = asyncio.Event()

    async def next_line(self, prompt: str = "") -> str | None:
        if not self._typed:
            return None
        after, text = self._typed.pop(0)
        while not any(after in row for row in self.shown):
            self._news.clear()
            await asyncio.wait_for(self._news.wait(), 10)
        return text

    def show(self, lines: tuple[Line, ...]) -> None:
        self.shown += plain(lines)
        self._news.set()


class Service:
    """Refuses to resolve for whoever hasn't seen ``i2``."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    async def serve(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.receive_str()
        await socket.send_json({**WELCOME, "work": [WORK]})
        looked = False
        async for message in socket:
            asked = msgspec.json.decode(message.data)
            entry = {"kind": "inquiry", "at": "2026-11-22T05:01:00Z"}
            told = [{**entry, "id": "i1", "text": "Where is it?"}]
            if asked["type"] == "resolve":
                self.seen.append(asked["seen"])
            if asked["type"] == "resolve" and asked["seen"] != "i2":
                unseen = {
                    "type": "urn:turnout:problem:unseen",
                    "title": "The customer has written again",
                    "status": 409,
                }
                await socket.send_json({"type": "problem", "op": asked["op"], "problem": {**unseen, "inquiry": "i2"}})
                continue
            if looked:  # the first look around, at the welcome, saw one message only
                told.append({**entry, "id": "i2", "text": "And the invoice?"})
            looked = True
            answer = {"type": "result", "op": asked["op"], "result": "done", "durable": True}
            await socket.send_json({**answer, "case": CASE, "transcript": told})
        return socket


async def test_a_message_he_has_not_seen_is_shown_before_the_case_is_resolved() -> None:
    service, app = Service(), web.Application()
    app.router.add_get("/v1/session", service.serve)
    paper = Paper(("1 is yours", "resolve 1 solved"), ("And the invoice?", "resolve 1 solved"), ("1: done", "quit"))
    async with TestServer(app) as server:
        address = str(server.make_url("/"))
        now = datetime(2026, 11, 22, 5, 2, tzinfo=UTC)
        client = Client(lambda: address, "the key", paper, lambda: now)  # type: ignore[arg-type]  # a terminal of paper
        assert await asyncio.wait_for(client.run(), 20) is Ending.WELL
    assert service.seen == ["i1", "i2"]
    (told,) = [row for row in paper.shown if "resolve 1: The customer has written again" in row]
    assert paper.shown.index(told) < paper.shown.index("  | And the invoice?")
