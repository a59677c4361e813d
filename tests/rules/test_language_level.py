"""How well an advisor has to speak the customer's language: who says so, and what is doubtful about it."""

import pytest

from rules import Facts, Reason, Rulebook, RulebookError, content, judge, lint, load, load_roster

BOOK = """\
defaults: {queue: general, language: ko}
policies: {standard: {first_response_s: 60, resolution_s: 600}}
queues:
  general: {policy: standard, language_level: 4}
outcomes: {solved: Done}
rules:
  - {name: legal, match: {text: contract}, set: {language_level: 8}}
"""
ROSTER = "advisors: [{id: ann, name: Ann, languages: {ko: 5, en: 9}}]"


def book(old: str = "", new: str = "") -> Rulebook:
    return load({"book.yaml": BOOK.replace(old, new)})


def doubts(text: Rulebook, roster: str = ROSTER) -> list[str]:
    return [str(problem) for problem in lint(text, load_roster({"roster.yaml": roster}))]


def test_a_rule_says_it_for_a_case_and_who_reads_the_reasons_sees_that() -> None:
    verdict = judge(book(), Facts(channel="chat", account="a", text="contract"))
    assert verdict.language_level == 8
    assert Reason("legal", ("language_level",)) in verdict.reasons
    assert judge(book(), Facts(channel="chat", account="a", text="hello")).language_level == 0


@pytest.mark.parametrize(
    ("old", "new", "roster", "expected"),
    [
        ("8", "5", ROSTER, []),
        (
            "",
            "",
            ROSTER,
            [
                (
                    'book.yaml:7:66 rules[0].set.language_level: nobody in the queue `general` speaks "ko" '
                    "at level 8 or above"
                )
            ],
        ),
        (
            "{language_level: 8}",
            "{language: en, language_level: 10}",
            ROSTER,
            [
                (
                    'book.yaml:7:80 rules[0].set.language_level: nobody in the queue `general` speaks "en" '
                    "at level 10 or above"
                )
            ],
        ),
        (
            "8",
            "3",
            ROSTER.replace("ko: 5", "ko: 3"),
            [
                (
                    'book.yaml:4:12 queues.general: no advisor of this queue speaks "ko" at level 4 or above, '
                    "which others do"
                )
            ],
        ),
    ],
)
def test_levels_that_nobody_reaches_are_doubtful(old: str, new: str, roster: str, expected: list[str]) -> None:
    assert doubts(book(old, new), roster) == expected


@pytest.mark.parametrize("level", ["0", "11", "high"])
def test_levels_go_from_1_to_10(level: str) -> None:
    with pytest.raises(RulebookError, match="language_level"):
        book("language_level: 4", f"language_level: {level}")


def test_a_step_that_takes_any_language_asks_for_no_level_of_it() -> None:
    with pytest.raises(RulebookError, match="at any level"):
        book("language_level: 4", "relax: [{after_s: 5, any_language: true, language_level: 2}]")


def test_the_hash_of_a_rulebook_without_it_is_as_it_was() -> None:
    plain = book("language_level: 4", "order: fifo")
    assert b"language_level" not in content(
        load({"b.yaml": BOOK.partition("rules:")[0].replace(", language_level: 4", "")})
    )
    assert b"language_level" in content(plain)
