"""The reader is as strict as he says: whatever is wrong with what the link shows, he notes."""

import asyncio
from typing import Any

import msgspec
import pytest

from channels.web_form.simulator_reader import Reader
from router.runtime.simulators import ReceivedReply

HEADERS = {
    "content-type": "application/json; charset=utf-8",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
}
ONE = {"id": "r1", "at": "2025-10-09T08:53:20.000Z", "text": "hello", "subject": "", "files": []}
TWO = {**ONE, "id": "r2", "text": "more"}


class Bench:
    def __init__(self) -> None:
        self.arrived: asyncio.Queue[ReceivedReply] = asyncio.Queue()
        self.refusals: list[str] = []
        self.reader = Reader("Kim", "t1", arrived=self.arrived, refusals=self.refusals)

    def look(self, *answers: Any) -> None:
        self.reader.look(200, HEADERS, msgspec.json.encode({"answers": answers}))


def test_new_answers_arrive_once() -> None:
    bench = Bench()
    for answers in ([], [ONE], [ONE], [ONE, TWO]):
        bench.look(*answers)
    seen = [bench.arrived.get_nowait() for _ in range(bench.arrived.qsize())]
    assert [(reply.key, reply.text, reply.customer, reply.thread) for reply in seen] == [
        ("r1", "hello", "Kim", "t1"),
        ("r2", "more", "Kim", "t1"),
    ]
    assert bench.refusals == []


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (404, HEADERS, b""),
        (200, {**HEADERS, "content-type": "text/html"}, b""),
        (200, {**HEADERS, "cache-control": "public"}, b""),
        (200, {**HEADERS, "referrer-policy": ""}, b""),
        (200, HEADERS, b"{"),
        (200, HEADERS, b"\xff"),
        (200, HEADERS, msgspec.json.encode({"answers": [{**ONE, "text": ""}]})),
        (200, HEADERS, msgspec.json.encode({"answers": [{**ONE, "at": "today"}]})),
        (200, HEADERS, msgspec.json.encode({"answers": [{**ONE, "advisor": "a1"}]})),
    ],
)
def test_what_is_wrong_is_noted_and_shows_nothing(status: int, headers: dict[str, str], body: bytes) -> None:
    bench = Bench()
    bench.reader.look(status, headers, body)
    assert len(bench.refusals) == 1
    assert bench.arrived.empty()


@pytest.mark.parametrize("later", [[], [TWO], [{**ONE, "text": "changed"}], [TWO, ONE], [ONE, ONE]])
def test_an_answer_that_goes_changes_or_comes_twice_is_noted(later: list[Any]) -> None:
    bench = Bench()
    bench.look(ONE)
    bench.look(*later)
    assert len(bench.refusals) == 1
