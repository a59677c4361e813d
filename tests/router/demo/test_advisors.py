"""A simulated advisor against a service that says what the test wants."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from router.demo.advisors import DemoAdvisor, Habits, read_talk
from router.demo.errors import DemoFailed
from router.demo.history import Ended, Looked, Offered, Replied, Taken
from router.demo.replies import is_question
from router.demo.roster import Advisor
from tests.suites.eventually import eventually

Frame = dict[str, Any]
Answers = Callable[["Script", Frame], list[Frame]]

ONE, TWO = "TN-000010", "TN-000011"
AT_ONCE = Habits(accept_s=(0, 0), write_s=(0, 0), resolve_s=(0, 0), declines=0, asks_back=0, transfers=0, notes=0)
MINJI = Advisor(id="minji", name="Minji", tier="senior", languages={"ko": 10}, skills={})


def work(summary: str = f"about {ONE}", *, case: str = "c1") -> Frame:
    return {"case": case, "channel": "email", "queue": "billing", "language": "ko", "summary": summary}


def offer(summary: str = f"about {ONE}", *, case: str = "c1") -> Frame:
    return {"type": "offer", "case": case, "offer_ver": 1, "work": work(summary, case=case)}


def inquiry(id_: str, text: str) -> Frame:
    return {"kind": "inquiry", "id": id_, "text": text}


class Script:
    """The service's end: answers every act as done, unless ``answers`` knows better."""

    def __init__(self) -> None:
        self.asked: list[Frame] = []
        self.transcript = [inquiry("i1", f"about {ONE}")]
        self.answers: dict[str, Answers] = {}
        self.socket: web.WebSocketResponse

    async def serve(self, request: web.Request) -> web.StreamResponse:
        self.socket = web.WebSocketResponse()
        await self.socket.prepare(request)
        assert msgspec.json.decode(await self.socket.receive_str()) == {"type": "hello", "key": "the key"}
        await self.push({"type": "welcome", "advisor": "minji"})
        async for message in self.socket:
            asked: Frame = msgspec.json.decode(message.data)
            self.asked.append(asked)
            for frame in self.answers.get(asked["type"], Script.done)(self, asked):
                await self.push(frame)
        return self.socket

    def done(self, asked: Frame) -> list[Frame]:
        if asked["type"] == "reply":
            self.transcript = [*self.transcript, {"kind": "reply", "text": asked["text"]}]
        told = {"transcript": self.transcript} if asked["type"] == "read" else {}
        case = {"inquiries": sum(entry["kind"] == "inquiry" for entry in self.transcript)}
        return [{"type": "result", "op": asked["op"], "result": "done", "durable": True, "case": case, **told}]

    async def push(self, frame: Frame) -> None:
        await self.socket.send_str(msgspec.json.encode(frame).decode())

    def acts(self) -> list[str]:
        return [asked["type"] for asked in self.asked]


def refused(script: Script, asked: Frame) -> list[Frame]:
    return [{"type": "problem", "op": asked["op"], "problem": {"type": "urn:turnout:problem:gone", "status": 409}}]


@asynccontextmanager
async def at_work(script: Script, habits: Habits = AT_ONCE) -> AsyncIterator[DemoAdvisor]:
    app = web.Application()
    app.router.add_get("/v1/session", script.serve)
    advisor = DemoAdvisor(MINJI, itertools.count(1), seed=1, habits=habits)
    async with TestServer(app) as server, aiohttp.ClientSession() as http:
        ready = asyncio.Event()
        url = str(server.make_url("/v1/session"))
        task = asyncio.create_task(advisor.run(http, url, key="the key", ready=ready))
        try:
            await asyncio.wait_for(ready.wait(), 10)
            yield advisor
        finally:
            task.cancel()
            (outcome,) = await asyncio.gather(task, return_exceptions=True)
            assert isinstance(outcome, asyncio.CancelledError), outcome


def kinds(advisor: DemoAdvisor) -> list[str]:
    return [f"{type(entry).__name__} {getattr(entry, 'by', '')}".strip() for entry in advisor.history]


@pytest.fixture
def script() -> Script:
    return Script()


async def test_an_offer_is_taken_read_answered_and_resolved(script: Script) -> None:
    async with at_work(script) as minji:
        await script.push(offer())
        await eventually(lambda: "Ended resolve" in kinds(minji))
        assert minji.in_hand == 0
    assert script.acts() == ["presence", "accept", "read", "reply", "resolve"]
    reply = script.asked[3]["text"]
    assert ONE in reply
    assert "RP-000001" in reply
    assert "Minji" in reply
    given, taken, read, replied, ended = minji.history
    assert isinstance(given, Offered)
    assert (given.tokens, given.channel, given.is_assigned) == ((ONE,), "email", False)
    assert isinstance(taken, Taken)
    assert isinstance(read, Looked)
    assert read.messages == (("i1", ONE),)
    assert isinstance(replied, Replied)
    assert (replied.mark, replied.tokens) == ("RP-000001", (ONE,))
    assert isinstance(ended, Ended)
    assert given.at <= taken.at <= read.at
    assert replied.at <= ended.at


async def test_a_push_that_overtakes_the_answer_ends_the_last_round_before_the_next(script: Script) -> None:
    rounds: list[Frame] = []

    def resolved(script: Script, asked: Frame) -> list[Frame]:
        rounds.append(asked)
        if len(rounds) > 1:
            return script.done(asked)
        return [offer(f"again {TWO}"), *script.done(asked)]

    script.answers["resolve"] = resolved
    async with at_work(script) as minji:
        await script.push(offer())
        await eventually(lambda: len(rounds) == 2 and minji.in_hand == 0)
    told = [kind for kind in kinds(minji) if kind.startswith(("Offered", "Ended"))]
    assert told == ["Offered", "Ended resolve", "Offered", "Ended resolve"]
    ends = [entry.at for entry in minji.history if isinstance(entry, Ended)]
    offers = [entry.at for entry in minji.history if isinstance(entry, Offered)]
    assert ends[0] <= offers[1]


async def test_a_release_that_overtakes_the_answer_counts_once_as_what_he_did(script: Script) -> None:
    script.answers["resolve"] = lambda script, asked: [
        {"type": "released", "case": "c1", "reason": "resolved"},
        *script.done(asked),
    ]
    async with at_work(script) as minji:
        await script.push(offer())
        await eventually(lambda: "Ended resolve" in kinds(minji))
        await script.push(offer(case="c2"))
        await eventually(lambda: kinds(minji).count("Ended resolve") == 2)
    assert [kind for kind in kinds(minji) if kind.startswith("Ended")] == ["Ended resolve"] * 2


async def test_what_a_refused_act_did_not_end_goes_on(script: Script) -> None:
    script.answers["accept"] = refused
    async with at_work(script) as minji:
        await script.push(offer())
        await eventually(lambda: "accept" in script.acts())
        assert minji.in_hand == 1
        await script.push({"type": "offer_ended", "case": "c1", "reason": "expired"})
        await eventually(lambda: minji.in_hand == 0)
    assert kinds(minji) == ["Offered", "Ended expired"]


async def test_a_message_that_comes_in_meanwhile_is_answered_before_the_case_is_resolved(script: Script) -> None:
    def replied(script: Script, asked: Frame) -> list[Frame]:
        answers = script.done(asked)
        if TWO in asked["text"]:
            return answers
        script.transcript.append(inquiry("i2", f"more {TWO}"))
        return [{"type": "message", "case": "c1", "inquiry": "i2", "inquiries": 2}, *answers]

    script.answers["reply"] = replied
    async with at_work(script) as minji:
        await script.push(offer())
        await eventually(lambda: "resolve" in script.acts() and minji.in_hand == 0)
    assert script.acts() == ["presence", "accept", "read", "reply", "read", "reply", "resolve"]
    assert [entry.tokens for entry in minji.history if isinstance(entry, Replied)] == [(ONE,), (TWO,)]


async def test_a_message_nobody_told_him_of_is_seen_and_answered_before_the_end(script: Script) -> None:
    def resolved(script: Script, asked: Frame) -> list[Frame]:
        if asked["seen"] == "i2":
            return script.done(asked)
        script.transcript.append(inquiry("i2", f"more {TWO}"))
        unseen = {"type": "urn:turnout:problem:unseen", "status": 409, "inquiry": "i2"}
        return [{"type": "problem", "op": asked["op"], "problem": unseen}]

    script.answers["resolve"] = resolved
    async with at_work(script) as minji:
        await script.push(offer())
        await eventually(lambda: minji.in_hand == 0 and "resolve" in script.acts())
    assert script.acts() == ["presence", "accept", "read", "reply", "resolve", "read", "reply", "resolve"]
    assert [entry.tokens for entry in minji.history if isinstance(entry, Replied)] == [(ONE,), (TWO,)]
    assert kinds(minji).count("Ended resolve") == 1


ENDINGS = [
    ({"declines": 1.0}, ["presence", "decline"], "Ended decline"),
    ({"transfers": 1.0}, ["presence", "accept", "read", "transfer"], "Ended transfer"),
    ({"asks_back": 1.0}, ["presence", "accept", "read", "reply", "pend"], "Ended pend"),
    ({"notes": 1.0}, ["presence", "accept", "read", "note", "reply", "resolve"], "Ended resolve"),
]


@pytest.mark.parametrize(("habits", "acts", "ended"), ENDINGS)
async def test_habits_decide_what_else_he_does(
    script: Script, habits: dict[str, float], acts: list[str], ended: str
) -> None:
    async with at_work(script, msgspec.structs.replace(AT_ONCE, **habits)) as minji:
        await script.push(offer())
        await eventually(lambda: minji.history and kinds(minji)[-1] == ended)
    assert script.acts() == acts
    texts = [asked["text"] for asked in script.asked if asked["type"] == "reply"]
    assert [is_question(text) for text in texts] == ["asks_back" in habits] * len(texts)


async def test_a_case_that_comes_back_to_him_takes_capacity_and_is_answered(script: Script) -> None:
    async with at_work(script, msgspec.structs.replace(AT_ONCE, asks_back=1.0, declines=0.0)) as minji:
        await script.push(offer())
        await eventually(lambda: "pend" in script.acts() and minji.in_hand == 0)
        script.transcript.append(inquiry("i2", f"yes {TWO}"))
        await script.push({"type": "assigned", "case": "c1", "work": work(f"yes {TWO}")})
        await eventually(lambda: kinds(minji)[-1] == "Ended resolve")
    back = [entry for entry in minji.history if isinstance(entry, Offered)][1]
    assert (back.is_assigned, back.tokens) == (True, (TWO,))


async def test_a_closed_session_ends_the_demo(script: Script) -> None:
    app = web.Application()
    app.router.add_get("/v1/session", script.serve)
    advisor = DemoAdvisor(MINJI, itertools.count(1), seed=1, habits=AT_ONCE)
    async with TestServer(app) as server, aiohttp.ClientSession() as http:
        ready = asyncio.Event()
        url = str(server.make_url("/v1/session"))
        task = asyncio.create_task(advisor.run(http, url, key="the key", ready=ready))
        await asyncio.wait_for(ready.wait(), 10)
        await script.socket.close()
        with pytest.raises(ExceptionGroup) as caught:
            await asyncio.wait_for(task, 10)
    assert caught.group_contains(DemoFailed, match="the service closed the session of minji")


TALKS = [
    ([inquiry("i1", f"{ONE} first"), inquiry("i2", f"{TWO}\n> {ONE} first")], (("i1", ONE), ("i2", TWO)), (ONE, TWO)),
    (
        [inquiry("i1", ONE), {"kind": "reply", "text": f"[{ONE}]"}, inquiry("i2", TWO)],
        (("i1", ONE), ("i2", TWO)),
        (TWO,),
    ),
    ([inquiry("i1", ONE), {"kind": "reply", "text": f"[{ONE}]", "automatic": True}], (("i1", ONE),), (ONE,)),
    ([inquiry("i1", ONE), {"kind": "note", "text": f"[{ONE}]"}], (("i1", ONE),), (ONE,)),
    ([inquiry("i1", "no name at all")], (("i1", ""),), ()),
]


@pytest.mark.parametrize(("transcript", "messages", "unanswered"), TALKS)
def test_a_transcript_tells_what_is_unanswered(
    transcript: list[Frame], messages: tuple[tuple[str, str], ...], unanswered: tuple[str, ...]
) -> None:
    talk = read_talk(transcript)
    assert (talk.messages, talk.unanswered) == (messages, unanswered)
