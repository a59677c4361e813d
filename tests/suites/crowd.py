"""A crowd of customers who write until they are heard, and who remember what they were told.

The service may die under them at any time: then they wait until it is back, and send again, under the same
ref, whatever was not accepted.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from random import Random
from typing import NamedTuple

import msgspec

from router.runtime.simulators import Answer, CustomerMessage, Simulator
from tests.suites.eventually import eventually

HEARD_S = 60.0


class Line:
    """Where the service is reached. Who asks while it is down waits."""

    def __init__(self) -> None:
        self._up = asyncio.Event()
        self.api = ""

    def open(self, api: str) -> None:
        self.api = api
        self._up.set()

    def cut(self) -> None:
        self._up.clear()

    async def address(self) -> str:
        """The API's address, once there is one."""
        await self._up.wait()
        return self.api


class Moment(NamedTuple):
    """The ``times``-th thing of a kind that happens from now on."""

    kind: str
    times: int


class Watch:
    """Counts what happens, and acts in the very call that reports the moment: nothing comes between."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()
        self._moment: Moment | None = None
        self._left = 0
        self._act: Callable[[], bool]

    def arm(self, moment: Moment, act: Callable[[], bool]) -> None:
        """Do ``act`` at that moment; as long as it gives False, at the next of the kind instead."""
        self._moment, self._left, self._act = moment, moment.times, act

    def note(self, kind: str) -> None:
        self.seen[kind] += 1
        if self._moment is not None and self._moment.kind == kind:
            self._left -= 1
            if self._left <= 0 and self._act():
                self._moment = None


class Talk(msgspec.Struct, kw_only=True):
    """A conversation as its customer knows it: the refs that were accepted, the service's ids of them, and the
    texts of the replies that came back, in order."""

    thread: str
    refs: list[str] = []
    ids: list[str] = []
    replies: list[str] = []
    heard: asyncio.Event = msgspec.field(default_factory=asyncio.Event)

    @property
    def is_waiting(self) -> bool:
        """Accepted, and no answer yet."""
        return bool(self.refs) and not self.replies


class Customers:
    """So many customers at a time, each with one conversation after another."""

    def __init__(self, simulator: Simulator, line: Line, watch: Watch, *, seed: int) -> None:
        self.talks: dict[str, Talk] = {}
        self._simulator = simulator
        self._line = line
        self._watch = watch
        self._random = Random(seed)
        self._goes_on = True
        self.finished = asyncio.Event()

    @property
    def in_flight(self) -> int:
        """How many conversations wait for an answer."""
        return sum(talk.is_waiting for talk in self.talks.values())

    def has_answers_since(self, begun: int) -> bool:
        """Whether of the conversations after the first ``begun`` one has been answered."""
        return any(talk.replies for talk in tuple(self.talks.values())[begun:])

    def close(self) -> None:
        """Begin no conversation any more; those that go on end."""
        self._goes_on = False

    async def run(self, crowd: int) -> None:
        """Write until closed and every conversation has been answered, then set ``finished``; listen until
        cancelled."""
        async with asyncio.TaskGroup() as listening:
            listening.create_task(self._listen(), name="customers listen")
            async with asyncio.TaskGroup() as writing:
                for place in range(crowd):
                    writing.create_task(self._write_on(place), name=f"customer {place}")
            self.finished.set()

    async def say(self, thread: str, ref: str, text: str) -> Talk:
        """Write one message, again and again until it is accepted."""
        talk = self.talks.setdefault(thread, Talk(thread=thread))
        message = CustomerMessage(ref=ref, customer=f"customer-{thread}", thread=thread, text=f"{text} <{ref}>")
        talk.ids.append(await self._accepted(message))
        talk.refs.append(ref)
        self._watch.note("accepted")
        return talk

    async def _accepted(self, message: CustomerMessage) -> str:
        answer = await _repeated(lambda: self._hand_in(message))
        return str(msgspec.json.decode(answer.body)["id"])

    async def _hand_in(self, message: CustomerMessage) -> Answer | None:
        await self._line.address()
        self._watch.note("writing")
        try:
            answer = await self._simulator.send(message)
        except ConnectionError:
            return None
        return answer if answer.accepted else None

    async def _write_on(self, place: int) -> None:
        number = 0
        while self._goes_on:
            number += 1
            thread = f"t{place}-{number}"
            talk = await self.say(thread, f"{thread}-a", "hello")
            if self._random.random() < 0.2:  # the provider delivers it once more
                message = CustomerMessage(
                    ref=talk.refs[0], customer=f"customer-{thread}", thread=thread, text=f"hello <{talk.refs[0]}>"
                )
                assert await self._accepted(message) == talk.ids[0]
            await asyncio.wait_for(talk.heard.wait(), HEARD_S)
            if self._random.random() < 0.4:
                await self.say(thread, f"{thread}-b", "one more thing")

    async def _listen(self) -> None:
        while True:
            reply = await self._simulator.next_reply()
            assert reply.customer == f"customer-{reply.thread}"
            talk = self.talks[reply.thread or ""]
            talk.replies.append(reply.text)
            talk.heard.set()
            self._watch.note("heard")


async def _repeated(attempt: Callable[[], Awaitable[Answer | None]]) -> Answer:
    answer = await eventually(attempt, within_s=HEARD_S)
    assert answer is not None
    return answer
