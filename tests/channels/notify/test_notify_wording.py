from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from channels.notify.wording import summary, words
from tests.suites.notices import notice

DUE = ", due 2025-10-09T08:54:20.000Z."


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "Escalation step 1 (first response): case c1 in queue billing, priority 2" + DUE),
        ({"clock": ""}, "Escalation step 1: case c1 in queue billing, priority 2" + DUE),
        ({"kind": "warning"}, "SLA warning (first response): case c1 in queue billing, priority 2" + DUE),
        ({"kind": "warning", "clock": ""}, "SLA warning: case c1 in queue billing, priority 2" + DUE),
        (
            {"kind": "breach", "clock": "resolution"},
            "SLA breach (resolution): case c1 in queue billing, priority 2" + DUE,
        ),
        (
            {"kind": "breach", "clock": "third_party"},
            "SLA breach (third party): case c1 in queue billing, priority 2" + DUE,
        ),
        ({"kind": "breach", "clock": ""}, "SLA breach: case c1 in queue billing, priority 2" + DUE),
        (
            {"kind": "delivery-failed", "due_at_ms": None},
            "A reply could not be delivered: case c1 in queue billing, priority 2.",
        ),
        ({"kind": "missed-offers", "queue": ""}, "Offers were missed: case c1, priority 2" + DUE),
        ({"kind": "moon", "due_at_ms": None}, "Notice (moon): case c1 in queue billing, priority 2."),
    ],
)
def test_a_notice_in_one_line(changes: dict[str, Any], text: str) -> None:
    assert summary(replace(notice(), **changes)) == text


@pytest.mark.parametrize("kind", ["warning", "breach", "step", "delivery-failed", "missed-offers", "moon"])
def test_korean_says_it_without_a_word_of_english(kind: str) -> None:
    told = words(replace(notice(), kind=kind, clock="resolution"), "ko", ZoneInfo("Asia/Seoul"))
    said = told.title.replace("SLA", "").replace("(moon)", "")
    assert not any(letter.isascii() and letter.isalpha() for letter in said)
    assert dict(told.facts)["기한"] == "2025-10-09 17:54 KST"


def test_what_a_notice_does_not_say_is_left_out() -> None:
    told = words(replace(notice(), queue="", due_at_ms=None), "en", ZoneInfo("UTC"))
    assert told.facts == (("Case", "c1"), ("Priority", "2"))
