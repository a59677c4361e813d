"""How a case climbed, and what is to come, as a supervisor reads it in the terminal."""

from typing import Any

import pytest

from router.cli.climb_text import climbed, to_come
from rules.ladders import Trigger

AT = "2026-11-22T19:17:25.116Z"


def step(**members: Any) -> dict[str, Any]:
    return {"step": 4, "at": AT, "trigger": "share"} | members


@pytest.mark.parametrize(
    ("taken", "english", "korean"),
    [
        (step(), "step 4 (its clock)", "4단계 (시한 경과)"),
        (
            step(trigger="by-hand", by="sen", owner="sen", tier="lead", reason="over my head"),
            "step 4 (by hand, by sen, sen had it, to tier lead): over my head",
            "4단계 (직접 요청, 실행 sen, 당시 담당 sen, 등급 lead로): over my head",
        ),
        (step(trigger="message", owner="jun"), "step 4 (a message, jun had it)", "4단계 (고객 메시지, 당시 담당 jun)"),
        (step(trigger="after"), "step 4 (its clock)", "4단계 (시한 경과)"),
        (step(trigger="missed"), "step 4 (missed offers)", "4단계 (응답 없는 배정 요청)"),
        (
            step(step=0, trigger="lowered", by="4308", reason="no"),
            "step 0 (lowered, by 4308): no",
            "0단계 (하향, 실행 4308): no",
        ),
        (
            step(trigger="handed", tier="lead", by="sen"),
            "step 4 (handed on, by sen, to tier lead)",
            "4단계 (이관, 실행 sen, 등급 lead로)",
        ),
        (step(trigger="moon"), "step 4 (moon)", "4단계 (moon)"),
    ],
)
def test_a_step_that_was_taken(taken: dict[str, Any], english: str, korean: str) -> None:
    assert (climbed(taken, "en"), climbed(taken, "ko")) == (f"{AT} {english}", f"{AT} {korean}")


def test_a_step_to_come_says_when_or_what_it_waits_for() -> None:
    ahead = {"step": 5, "ladder": "l", "trigger": "by-hand", "does": ["it moves up a tier", "it tells leads"]}
    assert to_come(ahead, "en") == "step 5 (by hand): it moves up a tier, it tells leads"
    assert to_come(ahead | {"at": AT}, "ko").startswith(f"5단계 ({AT}): ")


@pytest.mark.parametrize("trigger", Trigger)
def test_every_trigger_has_words_of_its_own_language(trigger: Trigger) -> None:
    said = climbed(step(trigger=str(trigger)), "ko").removeprefix(AT)
    assert not any(letter.isascii() and letter.isalpha() for letter in said)
