from typing import Any

import pytest

from router.cli.decision_text import decision_lines

PAGE: dict[str, Any] = {
    "case": "c1",
    "decided_at": "2026-11-22T05:21:02.004Z",
    "rulebook": "3f2a",
    "strategy": "balanced",
    "source": "decided-again",
    "considered": 3,
    "able": 2,
    "agrees": True,
    "winner": "minji",
    "advisors": [
        {"advisor": "minji", "place": 1, "terms": {"score": 0.81, "idle": 0.5}},
        {"advisor": "ann", "place": 2, "terms": {"score": 0.75, "idle": 1.0}},
        {"advisor": "jiwoo", "filters": ["skill"], "reasons": ["필요한 기술 수준에 못 미침", "온라인이 아님"]},
    ],
}


def test_everybody_has_a_line() -> None:
    assert list(decision_lines(PAGE, "en")) == [
        "case c1: decided at 2026-11-22T05:21:02.004Z by balanced, rulebook 3f2a",
        "2 of 3 advisors could have had it",
        "*   1. minji (score 0.81, idle 0.5)",
        "    2. ann (score 0.75, idle 1)",
        "     - jiwoo: 필요한 기술 수준에 못 미침; 온라인이 아님",
    ]


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", ["this is what was recorded", "the router that decided saw something else"]),
        ("ko", ["this is what was recorded", "결정한 라우터는"]),
    ],
)
def test_what_is_doubtful_is_said(language: str, told: list[str]) -> None:
    page = PAGE | {"note": "this is what was recorded", "agrees": False, "advisors": []}
    lines = list(decision_lines(page, language))
    assert [line[: len(want)] for line, want in zip(lines[1:], told, strict=False)] == told


def test_of_what_was_recorded_nothing_is_made_up() -> None:
    page = {name: value for name, value in PAGE.items() if name not in ("able", "agrees", "advisors")}
    assert len(list(decision_lines(page, "ko"))) == 1
