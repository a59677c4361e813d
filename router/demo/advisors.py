"""Simulated advisors: each has a session of his own, works through what he is offered, and keeps his history."""

import asyncio
import time
from collections.abc import Coroutine, Iterator
from random import Random
from typing import Any, Final

import aiohttp
import msgspec

from router.demo import replies
from router.demo.history import AdvisorEntry, Ended, Looked, Offered, Replied, Taken
from router.demo.roster import Advisor
from router.demo.session import Frame, Session
from router.demo.traffic import reply_mark, tokens

_OUTCOMES: Final = ("solved", "informed", "refunded", "replaced")
_UNSEEN: Final = "urn:turnout:problem:unseen"


class Habits(msgspec.Struct, frozen=True, kw_only=True):
    """How advisors work: pauses in seconds (from, to), and how often they do something else than answering."""

    accept_s: tuple[float, float] = (0.1, 0.6)
    write_s: tuple[float, float] = (0.3, 1.6)
    resolve_s: tuple[float, float] = (0.05, 0.4)
    declines: float = 0.03
    asks_back: float = 0.06
    transfers: float = 0.03
    notes: float = 0.1


class Talk(msgspec.Struct, frozen=True, kw_only=True):
    """A case as its transcript shows it: (message id, token) of the customer's messages, what of it no reply
    names yet, and whether a person has replied at all."""

    messages: tuple[tuple[str, str], ...]
    unanswered: tuple[str, ...]
    was_answered: bool


class DemoAdvisor:
    """One advisor at work. ``marks`` numbers the replies of all advisors together."""

    def __init__(self, who: Advisor, marks: Iterator[int], *, seed: int, habits: Habits) -> None:
        self.who = who
        self.history: list[AdvisorEntry] = []
        self._marks = marks
        self._habits = habits
        self._random = Random(f"advisor {who.id} {seed}")  # noqa: S311 - nothing secret hangs on it
        self._hand: dict[str, Frame] = {}
        self._working: set[str] = set()
        self._known: set[str] = set()
        self._ending: dict[str, tuple[str, float]] = {}
        self._news: set[str] = set()
        self._session: Session
        self._tasks: asyncio.TaskGroup

    @property
    def in_hand(self) -> int:
        """How many cases he has, offers included."""
        return len(self._hand)

    async def run(self, http: aiohttp.ClientSession, url: str, *, key: str, ready: asyncio.Event) -> None:
        """Sign in, come online, set ``ready``, and work until cancelled. Raises ``DemoFailed``."""
        async with http.ws_connect(url, heartbeat=20, max_msg_size=1 << 20) as socket:
            self._session = Session(socket, self.who.id)
            await self._session.hello(key)
            async with asyncio.TaskGroup() as self._tasks:
                _, online = self._session.begin("presence", presence="online")
                online.add_done_callback(lambda _: ready.set())
                async for frame in self._session.pushes():
                    self._told(frame)

    # -- what he is told

    def _told(self, frame: Frame) -> None:
        match frame["type"]:
            case "offer":
                self._comes(frame["work"], is_assigned=False)
                self._spawn(self._consider(frame["case"], frame["offer_ver"]))
            case "assigned":
                if frame["case"] not in self._hand or frame["case"] in self._ending:
                    self._comes(frame["work"], is_assigned=True)
                    self._spawn(self._work(frame["case"]))
            case "offer_ended" | "released":
                self._goes(frame["case"], frame["reason"], time.monotonic())
            case "message":
                self._news.add(frame["case"])
                if frame["case"] in self._hand and frame["case"] not in self._working:
                    self._spawn(self._work(frame["case"]))
            case _:
                return

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.create_task(work)

    def _comes(self, work: Frame, *, is_assigned: bool) -> None:
        case = work["case"]
        if case in self._ending:  # a push may tell of the next round before the answer has told of the last
            by, at = self._ending.pop(case)
            self._record_end(case, by, at)
        self._hand[case] = work
        found = tokens(f"{work.get('subject', '')} {work.get('summary', '')}")
        self.history.append(
            Offered(
                at=time.monotonic(),
                advisor=self.who.id,
                case=case,
                channel=work["channel"],
                tokens=found,
                is_assigned=is_assigned,
            )
        )

    def _goes(self, case: str, reason: str, at: float) -> None:
        """A case is his no more. What he did himself counts from the moment he sent it."""
        by, since = self._ending.pop(case, (reason, at))
        self._record_end(case, by, since)

    def _record_end(self, case: str, by: str, at: float) -> None:
        if self._hand.pop(case, None) is not None:
            self.history.append(Ended(at=at, advisor=self.who.id, case=case, by=by))

    # -- what he does

    async def _consider(self, case: str, offer_ver: int) -> None:
        """Take the offer, or now and then give it back; never that of a customer he has answered before."""
        await self._pause(self._habits.accept_s)
        if case not in self._known and self._random.random() < self._habits.declines:
            await self._end(case, "decline", offer_ver=offer_ver, reason="busy")
            return
        asked = await self._session.ask("accept", case=case, offer_ver=offer_ver)
        if asked.is_done:
            self._known.add(case)
            self.history.append(Taken(at=time.monotonic(), advisor=self.who.id, case=case))
            await self._work(case)

    async def _work(self, case: str) -> None:
        """Answer until nothing is unanswered, then resolve; or hand it on, or ask back and let it rest."""
        self._working.add(case)
        try:
            while case in self._hand:
                self._news.discard(case)
                talk = await self._look(case)
                if talk is None or not await self._answer_or_rest(case, talk):
                    return
                await self._pause(self._habits.resolve_s)
                if case not in self._news and not await self._was_too_soon(case, talk):
                    return
        finally:
            self._working.discard(case)

    async def _answer_or_rest(self, case: str, talk: Talk) -> bool:
        """Whether he goes on with the case."""
        if not talk.unanswered:
            return True
        await self._pause(self._habits.write_s)
        if not talk.was_answered and self._random.random() < self._habits.transfers:
            await self._end(case, "transfer", queue=self._hand[case]["queue"], reason="needs another pair of eyes")
            return False
        if self._random.random() < self._habits.notes:
            await self._session.ask("note", case=case, text="Looked up in the order system.")
        asks_back = not talk.was_answered and self._random.random() < self._habits.asks_back
        if not await self._reply(case, talk.unanswered, asks_back=asks_back):
            return False
        if asks_back:
            await self._end(case, "pend", on="customer", reason="asked back")
        return not asks_back

    async def _reply(self, case: str, about: tuple[str, ...], *, asks_back: bool) -> bool:
        mark = reply_mark(next(self._marks))
        language = self._hand.get(case, {}).get("language") or next(iter(self.who.languages))
        if asks_back:
            text = replies.question(language=language, name=self.who.name, about=about, mark=mark)
        else:
            text = replies.answer(self._random, language=language, name=self.who.name, about=about, mark=mark)
        asked = await self._session.ask("reply", case=case, text=text)
        if asked.is_done:
            self.history.append(Replied(at=asked.at, advisor=self.who.id, case=case, mark=mark, tokens=about))
        return asked.is_done

    async def _was_too_soon(self, case: str, talk: Talk) -> bool:
        """Resolve the case; whether it couldn't be, since there is a message that he hasn't seen."""
        seen = {"seen": talk.messages[-1][0]} if talk.messages else {}
        answer = await self._end(case, "resolve", outcome=self._random.choice(_OUTCOMES), **seen)
        return bool(answer["type"] == "problem" and answer["problem"]["type"] == _UNSEEN)

    async def _end(self, case: str, kind: str, **members: object) -> Frame:
        """Send the act that ends his part; its answer."""
        at, answer = self._session.begin(kind, case=case, **members)
        self._ending[case] = (kind, at)
        frame = await answer
        if frame["type"] != "result":
            self._ending.pop(case, None)
        elif self._ending.get(case) == (kind, at):
            self._goes(case, kind, at)
        return frame

    async def _look(self, case: str) -> Talk | None:
        """Read the case; None when it isn't his any more."""
        asked = await self._session.ask("read", case=case)
        if not asked.is_done:
            return None
        talk = read_talk(asked.answer["transcript"])
        self.history.append(Looked(at=time.monotonic(), advisor=self.who.id, case=case, messages=talk.messages))
        return talk

    async def _pause(self, between: tuple[float, float]) -> None:
        await asyncio.sleep(self._random.uniform(*between))


def read_talk(transcript: list[Frame]) -> Talk:
    """What a transcript says. A message's own token is the first in its text: what follows may be quoted."""
    messages, answered, was_answered = [], set(), False
    for entry in transcript:
        if entry["kind"] == "inquiry":
            messages.append((entry.get("id", ""), next(iter(tokens(entry["text"])), "")))
        elif entry["kind"] == "reply" and not entry.get("automatic", False):
            answered |= set(tokens(entry["text"]))
            was_answered = True
    names = tuple(dict.fromkeys(name for _, name in messages if name and name not in answered))
    return Talk(messages=tuple(messages), unanswered=names, was_answered=was_answered)
