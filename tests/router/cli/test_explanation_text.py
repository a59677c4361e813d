from typing import Any
from zoneinfo import ZoneInfo

import pytest

from router.cli.explanation_text import explanation_lines, in_zone

PAGE: dict[str, Any] = {
    "case": {"id": "c1", "state": "offered", "queue": "billing", "priority": 2, "rulebook": "3f2a"},
    "explanation": {
        "decided_at": "2026-11-22T05:21:02.004Z",
        "why_here": ["a"],
        "why_not": [
            {"filter": "room", "count": 2, "reason": "full", "first": ["ann", "bo"]},
            {"filter": "x", "count": 1, "reason": "newer"},
        ],
        "why_waiting": ["b"],
        "would_free": [{"change": "presence", "text": "c"}],
    },
}


def test_each_part_has_its_title() -> None:
    assert [*explanation_lines(PAGE, "en")] == [
        "case c1: offered, queue billing, priority 2",
        "rulebook 3f2a, decided at 2026-11-22T05:21:02.004Z",
        "why here:",
        "  a",
        "why not the others, when it was decided:",
        "  2 full (ann, bo)",
        "  1 newer",
        "what it waits for now:",
        "  b",
        "what would free it, each alone:",
        "  c",
    ]


@pytest.mark.parametrize(
    ("members", "head"),
    [
        ({}, "문의 c1: 수락 대기 중, 대기열 billing, 우선순위 2"),
        ({"state": "assigned", "owner": "ann"}, "문의 c1: 배정됨, 담당 상담사 ann, 대기열 billing, 우선순위 2"),
        ({"state": "newer"}, "문의 c1: newer, 대기열 billing, 우선순위 2"),
    ],
)
def test_in_korean_all_of_it_is(members: dict[str, str], head: str) -> None:
    lines = [*explanation_lines(PAGE | {"case": PAGE["case"] | members}, "ko")]
    assert lines[:2] == [head, "규칙 버전 3f2a, 결정 시각 2026-11-22T05:21:02.004Z"]
    assert "  상담사 2명: full (ann, bo)" in lines


def test_what_is_not_known_has_no_line() -> None:
    page = {"case": PAGE["case"], "explanation": {"why_here": ["a"]}}
    assert len([*explanation_lines(page, "en")]) == 4


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("offered until 2026-11-22T19:27:46.264Z", "offered until 2026-11-23 04:27:46 KST"),
        ("2026-11-22T19:27:46Z에 종료", "2026-11-23 04:27:46 KST에 종료"),
        ("version 2026-11-22", "version 2026-11-22"),
    ],
)
def test_instants_are_shown_by_the_clock_on_the_wall(line: str, shown: str) -> None:
    assert in_zone(line, ZoneInfo("Asia/Seoul")) == shown
