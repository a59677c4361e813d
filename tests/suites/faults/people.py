"""Customers and advisors who go on under any fault and keep their own history."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from random import Random
from typing import Any, Final

import aiohttp
import msgspec

from channels.webhook.normalise import CONVERSATION
from channels.webhook.simulator import WebhookSimulator
from router.contract.messages import Inquiry
from router.runtime.clock import SystemClock
from router.runtime.simulators import CustomerMessage, Simulator
from tests.suites.crowd import Line, Talk, Watch
from tests.suites.crowd_advisor import Frame, Worker
from tests.suites.eventually import eventually
from tests.suites.faults.history import Entry, History, Kind

PATIENCE_S: Final = 100.0
_RECORDED: Final = frozenset({"accept", "reply", "resolve"})
_SHARE_MISSED: Final = 6
_AGAIN_MS: Final = 400


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class Writers:
    """Customers in waves. ``talks`` are all conversations so far."""

    def __init__(self, simulator: Simulator, watch: Watch, history: History) -> None:
        self.talks: dict[str, Talk] = {}
        self._simulator = simulator
        self._watch = watch
        self._history = history

    async def listen(self) -> None:
        """Hear replies until cancelled."""
        while True:
            reply = await self._simulator.next_reply()
            talk = self.talks[reply.thread or ""]
            talk.replies.append(reply.text)
            talk.heard.set()
            entry = Entry(at_ms=now_ms(), who=reply.customer, kind=Kind.HEARD, what="reply", text=reply.text)
            self._history.note(entry)
            self._watch.note("heard")

    async def wave(self, name: str, conversations: int, *, at_once: int, seed: int) -> None:
        """So many conversations: each is answered, and some are gone on with, or delivered twice by the provider."""
        random = Random(f"{name} {seed}")
        places = asyncio.Semaphore(at_once)

        async def one(thread: str, goes_on: bool, again: bool) -> None:
            async with places:
                talk = await self.say(thread, f"{thread}-a", "hello")
                if again:
                    await self._accepted(self._message(thread, f"{thread}-a", "hello"))
                await asyncio.wait_for(talk.heard.wait(), PATIENCE_S)
                if goes_on:
                    # Not waited for: an advisor who resolves at this moment leaves it unanswered.
                    await self.say(thread, f"{thread}-b", "one more thing")

        async with asyncio.TaskGroup() as writing:
            for number in range(conversations):
                goes_on, again = random.random() < 0.3, random.random() < 0.2
                writing.create_task(one(f"{name}-{seed}-{number}", goes_on, again), name=f"customer {number}")

    async def say(self, thread: str, ref: str, text: str) -> Talk:
        """Write one message until it is accepted."""
        talk = self.talks.setdefault(thread, Talk(thread=thread))
        talk.ids.append(await self._accepted(self._message(thread, ref, text)))
        talk.refs.append(ref)
        self._watch.note("accepted")
        return talk

    def wrote(self, inquiry: Inquiry, thread: str, ref: str) -> Talk:
        """What somebody else has brought to the bus for a customer, who hears of it as all do."""
        assert isinstance(self._simulator, WebhookSimulator)
        self._simulator.desk.known[inquiry.thread[CONVERSATION]] = (inquiry.customer.id, thread)
        talk = self.talks.setdefault(thread, Talk(thread=thread))
        talk.ids.append(inquiry.id)
        talk.refs.append(ref)
        who, result = inquiry.customer.id, inquiry.id
        self._history.note(Entry(at_ms=now_ms(), who=who, kind=Kind.OK, what="write", op=ref, ref=ref, result=result))
        return talk

    def _message(self, thread: str, ref: str, text: str) -> CustomerMessage:
        return CustomerMessage(ref=ref, customer=f"customer-{thread}", thread=thread, text=f"{text} <{ref}>")

    async def _accepted(self, message: CustomerMessage) -> str:
        return await eventually(lambda: self._hand_in(message), within_s=PATIENCE_S)

    async def _hand_in(self, message: CustomerMessage) -> str:
        """The inquiry's id; empty when it wasn't accepted, or nobody knows."""
        who, ref = message.customer, message.ref

        def note(kind: Kind, result: str = "") -> None:
            entry = Entry(at_ms=now_ms(), who=who, kind=kind, what="write", op=ref, ref=ref, result=result)
            self._history.note(entry)

        note(Kind.INVOKE)
        self._watch.note("writing")
        try:
            answer = await self._simulator.send(message)
        except ConnectionError:
            note(Kind.UNKNOWN)
            return ""
        if not answer.accepted:
            note(Kind.FAIL, answer.code)
            return ""
        id_ = str(msgspec.json.decode(answer.body)["id"])
        note(Kind.OK, id_)
        return id_


class RecordedWorker(Worker):
    """A ``Worker`` with a history. Of some cases he lets the first offer pass, so that offers expire as well;
    those who share ``passed`` do so once together. A reply that isn't durable yet may still be lost: he waits until it
    is confirmed, and when told that nobody knows asks again. ``connection`` is the number of his last session."""

    def __init__(self, name: str, key: str, line: Line, watch: Watch, *, history: History, passed: set[str]) -> None:
        super().__init__(name, key, line, watch)
        self._passed = passed
        self._history = history
        self._frames: dict[str, Frame] = {}
        self.connection = 0
        self._again: set[asyncio.Task[None]] = set()
        self._unconfirmed: dict[str, Frame] = {}
        self._clock = SystemClock()
        self.left_lying = ""
        """The channel whose cases he takes and doesn't look at, for now."""
        self._channels: dict[str, str] = {}
        self.at_offer: Callable[[RecordedWorker, Frame], bool] | None = None
        """Sees each offer that comes in; True keeps him from going for it by himself."""

    @property
    def is_connected(self) -> bool:
        """Whether he has a session open."""
        return self._socket is not None and not self._socket.closed

    async def hang_up(self) -> None:
        """Lose the session: the next one is opened at once."""
        if self._socket is not None:
            await self._socket.close()

    async def move_to(self, line: Line) -> None:
        """Lose the session; the next one is opened there."""
        self._line = line
        await self.hang_up()

    def goes_for(self, offer: Frame) -> None:
        """Accept it after all, with whatever comes of that."""
        self._offered[offer["case"]] = offer["offer_ver"]
        self._do(offer["case"])

    def look_through(self) -> None:
        """Look at all that he has."""
        for case in self.holds:
            self._do(case)

    @asynccontextmanager
    async def tab(self) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """Another session of his beside the first, open until the block ends."""
        async with aiohttp.ClientSession() as http, http.ws_connect(f"{self._line.api}/v1/session") as socket:
            await socket.send_json({"type": "hello", "key": self._key})
            async with asyncio.timeout(PATIENCE_S):
                await socket.receive_str()
            yield socket

    async def flash_tab(self) -> None:
        """Open another session beside the first, and close it again."""
        async with self.tab():
            pass

    def _begin(self, members: Frame) -> tuple[Frame, asyncio.Future[Frame]]:
        frame, future = super()._begin(members)
        self._frames[frame["op"]] = frame
        self._note(Kind.INVOKE, frame)
        return frame, future

    def _welcomed(self, welcome: Frame) -> None:
        assert welcome["type"] == "welcome", welcome
        self.connection = welcome["connection"]
        self._channels |= {item["case"]: item["channel"] for item in welcome["work"]}
        super()._welcomed(welcome)

    def _lets_lie(self, case: str) -> bool:
        return bool(self.left_lying) and self._channels.get(case) == self.left_lying

    def _told(self, frame: Frame) -> None:
        if "work" in frame:
            self._channels[frame["case"]] = frame["work"]["channel"]
        if frame["type"] == "confirmed" and (result := self._unconfirmed.pop(frame["op"], None)):
            super()._answered(result)
        super()._told(frame)

    def _answered(self, frame: Frame) -> None:
        asked = self._frames.get(frame.get("op", ""))
        if asked is not None:
            if frame["type"] == "result":
                durable = frame.get("durable", True)
                self._note(Kind.OK, asked, result=frame["result"], durable=durable)
                if asked["type"] == "reply" and not durable:
                    self._unconfirmed[frame["op"]] = frame
                    return
            else:
                kind = Kind.UNKNOWN if frame["problem"]["status"] == 503 else Kind.FAIL
                self._note(kind, asked, result=frame["problem"]["type"])
                if kind is Kind.UNKNOWN:
                    self._ask_again(asked)
        super()._answered(frame)

    def _ask_again(self, frame: Frame) -> None:
        """Under the same operation id, in a while: the session need not have ended."""
        task = asyncio.create_task(self._send_later(frame), name="asking again")
        self._again.add(task)
        task.add_done_callback(self._again.discard)

    async def _send_later(self, frame: Frame) -> None:
        await self._clock.sleep_until_ms(self._clock.now_ms() + _AGAIN_MS)
        if frame["op"] in self._asked:
            await self._send(frame)

    def _note(self, kind: Kind, frame: Frame, **more: Any) -> None:
        what = frame["type"]
        if what in _RECORDED:
            text = frame.get("text", "")
            entry = Entry(
                at_ms=now_ms(),
                who=self.name,
                kind=kind,
                what=what,
                op=frame["op"],
                ref=frame["case"],
                text=text,
                **more,
            )
            self._history.note(entry)

    def _takes(self, offer: Frame) -> bool:
        case = offer["case"]
        if self.at_offer is not None and self.at_offer(self, offer):
            return False
        if case not in self._passed and sum(case.encode()) % _SHARE_MISSED == 0:
            self._passed.add(case)
            return False
        return super()._takes(offer)


async def at_desks(workers: list[RecordedWorker]) -> None:
    """All work until cancelled."""
    async with aiohttp.ClientSession() as http, asyncio.TaskGroup() as tasks:
        for worker in workers:
            tasks.create_task(worker.run(http), name=worker.name)
