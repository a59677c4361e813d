"""An advisor who works through what he is given, whatever becomes of his connection.

What he asked for and got no answer to he asks again, under the same operation id, in the next session.
"""

import asyncio
import contextlib
import itertools
import json
import re
from collections import deque
from typing import Any

import aiohttp

from tests.suites.crowd import Line, Watch
from tests.suites.eventually import eventually

Frame = dict[str, Any]
ANSWER_S = 60.0
_ADVICE_S = 1.0
_AWAY = frozenset({503})
"""Statuses of a session that is refused for now: the store is away."""
_NEW = _AWAY | {401, 404}
"""Before the first session, the API may not have read yet that there are his key and himself."""
_RINGING = frozenset({"offer", "consult-offer"})
_REF = re.compile(r"<([^<>]+)>")


class Worker:
    """One advisor. ``replied`` maps each reply that he was told is done to its case; ``most`` is the most he
    ever had at hand: from an offer's arrival to the sending of the act that ends it. With ``missed`` the first
    offer of each case is let pass; who shares the set counts together."""

    def __init__(self, name: str, key: str, line: Line, watch: Watch, *, missed: set[str] | None = None) -> None:
        self.name = name
        self.replied: dict[str, str] = {}
        self.holds: set[str] = set()
        self.most = 0
        self._key = key
        self._line = line
        self._watch = watch
        self._missed = missed
        self._ops = itertools.count(1)
        self._asked: dict[str, tuple[Frame, asyncio.Future[Frame]]] = {}
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._todo: deque[str] = deque()
        self._news = asyncio.Event()
        self._offered: dict[str, int] = {}
        self._not_yet = _NEW
        self.whom: Frame = {}
        """Of whom he asks for advice on each case he has, for now."""
        self._advice: dict[str, asyncio.Event] = {}

    async def run(self, http: aiohttp.ClientSession) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._stay_connected(http), name=f"session of {self.name}")
            tasks.create_task(self._work(), name=f"work of {self.name}")

    # -- the session

    async def _stay_connected(self, http: aiohttp.ClientSession) -> None:
        while True:
            try:
                self._socket = socket = await eventually(lambda: self._connected(http), within_s=ANSWER_S)
                assert socket is not None
                await self._listen(socket)
            finally:
                open_still, self._socket = self._socket, None
                if open_still is not None:
                    await open_still.close()

    async def _connected(self, http: aiohttp.ClientSession) -> aiohttp.ClientWebSocketResponse | None:
        url = await self._line.address()
        try:
            socket = await http.ws_connect(f"{url}/v1/session", heartbeat=20)
            await socket.send_json({"type": "hello", "key": self._key})
            first = await socket.receive(ANSWER_S)
        except (aiohttp.ClientError, ConnectionError):
            return None
        if first.type is not aiohttp.WSMsgType.TEXT:
            return None
        answer = json.loads(first.data)
        if answer["type"] == "problem" and answer["problem"]["status"] in self._not_yet:
            await socket.close()
            return None
        self._welcomed(answer)
        self._not_yet = _AWAY
        return socket

    def _welcomed(self, welcome: Frame) -> None:
        assert welcome["type"] == "welcome", welcome
        self.holds = {item["case"] for item in welcome["work"]}
        self._offered = {item["case"]: item["offer_ver"] for item in welcome["work"] if item["kind"] in _RINGING}
        self._count()
        for item in welcome["work"]:
            self._do(item["case"])

    async def _listen(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._begin({"type": "presence", "presence": "online"})
        for frame, _ in tuple(self._asked.values()):
            await self._send(frame)
        async for message in socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                self._told(json.loads(message.data))

    def _told(self, frame: Frame) -> None:
        kind, case = frame["type"], frame.get("case", "")
        if kind in ("result", "problem"):
            self._answered(frame)
            return
        if kind in ("offer", "assigned"):
            self.holds.add(case)
            self._count()
            if kind == "assigned" or self._takes(frame):
                self._do(case)
        elif kind == "message":
            self._do(case)
        elif kind == "consult" and case in self._advice and _is_over(frame):
            self._advice[case].set()
        elif kind in ("offer_ended", "released"):
            self.holds.discard(case)
            self._offered.pop(case, None)

    def _takes(self, offer: Frame) -> bool:
        """Whether he goes for an offer."""
        self._watch.note("offer")
        if self._missed is not None and offer["case"] not in self._missed:
            self._missed.add(offer["case"])
            return False
        self._offered[offer["case"]] = offer["offer_ver"]
        return True

    def _lets_lie(self, _case: str) -> bool:
        """Whether he doesn't look at what he has taken, for now."""
        return False

    def _answered(self, frame: Frame) -> None:
        asked = self._asked.get(frame.get("op", ""))
        if asked is None or asked[1].done():
            return
        if frame["type"] == "problem" and frame["problem"]["status"] == 503:
            return  # nobody knows what came of it: it stays asked, for the next session
        del self._asked[frame["op"]]
        asked[1].set_result(frame)

    # -- asking

    async def ask(self, kind: str, **members: Any) -> Frame:
        """The answer, from whichever session it comes."""
        frame, future = self._begin({"type": kind, **members})
        await self._send(frame)
        async with asyncio.timeout(ANSWER_S):
            return await future

    def _begin(self, members: Frame) -> tuple[Frame, asyncio.Future[Frame]]:
        op = f"{self.name}-{next(self._ops)}"
        asked = ({**members, "op": op}, asyncio.get_running_loop().create_future())
        self._asked[op] = asked
        return asked

    async def _send(self, frame: Frame) -> None:
        if self._socket is not None:
            try:
                await self._socket.send_json(frame)
            except ConnectionError:
                return  # the next session sends it again
            self._watch.note(f"asking {frame['type']}")

    # -- the work

    def _count(self) -> None:
        self.most = max(self.most, len(self.holds))

    def _do(self, case: str) -> None:
        if case not in self._todo:
            self._todo.append(case)
        self._news.set()

    async def _work(self) -> None:
        while True:
            while not self._todo:
                self._news.clear()
                await self._news.wait()
            await self._serve(self._todo.popleft())

    async def _serve(self, case: str) -> None:
        """Take the case if it is offered, answer what is unanswered, and resolve it."""
        offer_ver = self._offered.pop(case, None)
        if offer_ver is not None:
            taken = await self.ask("accept", case=case, offer_ver=offer_ver)
            if taken["type"] == "problem":
                return
            self._watch.note("taken")
        if self._lets_lie(case):
            return
        shown = await self.ask("read", case=case)
        if shown["type"] == "problem":
            return
        if self.name in shown["case"].get("consults", ()):
            await self._advise(case)
        if shown["case"].get("owner") != self.name:
            return
        if self.whom:
            await self._seek_advice(case)
        for ref in unanswered(shown["transcript"]):
            answer = await self.ask("reply", case=case, text=f"answer to <{ref}>")
            if answer["type"] == "problem":
                return
            assert ref not in self.replied, f"{ref} is answered twice"
            self.replied[ref] = case
            self._watch.note("replied")
        self.holds.discard(case)
        await self.ask("resolve", case=case, outcome="solved")
        self._watch.note("resolved")

    async def _advise(self, case: str) -> None:
        """Say something of a case on which his advice was asked for, and be done with it."""
        await self.ask("note", case=case, text="so it is done")
        await self.ask("hand_back", case=case)
        self._watch.note("advised")

    async def _seek_advice(self, case: str) -> None:
        """Ask for it, and go on once it was given, nobody is left to give it, or it takes too long."""
        told = self._advice[case] = asyncio.Event()
        asked = await self.ask("consult", case=case, note="how is it done?", **self.whom)
        if asked["type"] != "problem":
            self._watch.note("asked for advice")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_ADVICE_S):
                    await told.wait()
        del self._advice[case]


def _is_over(told: Frame) -> bool:
    """Whether nobody is in on the case, or rung, any more."""
    return told["state"] != "joined" and not told.get("rings")


def unanswered(transcript: list[Frame]) -> list[str]:
    """The refs of messages that no reply names."""
    said: dict[str, list[str]] = {"inquiry": [], "reply": []}
    for entry in transcript:
        said.setdefault(entry["kind"], [])
        said[entry["kind"]] += _REF.findall(entry["text"])
    return [ref for ref in said["inquiry"] if ref not in said["reply"]]
