"""Whom rules exclude: what is refused when it is loaded, and what is doubtful beside a roster."""

import pytest

from rules import RosterError, RulebookError, lint, load, load_roster
from rules.exclusion import MOST_EXCLUDED

BOOK = """\
defaults: {queue: general}
policies: {standard: {first_response_s: 60, resolution_s: 600}}
queues:
  general: {policy: standard}
  claims: {policy: standard}
outcomes: {solved: Done}
rules:
"""
ROSTER = """\
advisors:
  - {id: ann, name: Ann, queues: [general, claims]}
  - {id: bo, name: Bo, queues: [general]}
"""


def problems(rules: str) -> list[str]:
    with pytest.raises(RulebookError) as caught:
        load({"book.yaml": BOOK + rules})
    return [str(problem) for problem in caught.value.problems]


def doubts(rules: str) -> list[str]:
    return [str(problem) for problem in lint(load({"book.yaml": BOOK + rules}), load_roster({"roster.yaml": ROSTER}))]


def test_names_that_cannot_be_and_names_given_twice() -> None:
    assert problems("  - {name: one, set: {exclude: [ann, ann]}}\n") == [
        "book.yaml:8:38 rules[0].set.exclude[1]: `ann` is listed twice"
    ]
    assert "rules[0].set.exclude[0]" in problems('  - {name: one, set: {exclude: ["Ann Lee"]}}\n')[0]


def listed(first: int, many: int) -> str:
    return f"[{', '.join(f'a{number}' for number in range(first, first + many))}]"


def test_rules_together_exclude_only_so_many() -> None:
    half = MOST_EXCLUDED // 2
    first = f"  - {{name: one, match: {{text: x}}, set: {{exclude: {listed(0, half)}}}, continue: true}}\n"
    aside = f"  - {{name: two, match: {{text: y}}, set: {{exclude: {listed(50, half)}}}}}\n"
    load({"book.yaml": BOOK + first + aside})
    last = f"  - {{name: three, match: {{text: z}}, set: {{exclude: {listed(99, half + 1)}}}}}\n"
    (told,) = problems(first + aside + last)
    assert told == (
        f"book.yaml:10:52 rules[2].set.exclude: with the rules before it that continue it excludes {half * 2 + 1}; at "
        f"most {MOST_EXCLUDED} may be"
    )


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ("  - {name: one, match: {text: x}, set: {exclude: [ann, last-advisor]}}\n", []),
        (
            "  - {name: one, match: {text: x}, set: {exclude: [anne]}}\n",
            ['book.yaml:8:51 rules[0].set.exclude[0]: no advisor on the roster is called `anne` (did you mean "ann"?)'],
        ),
        (
            "  - {name: one, match: {text: x}, set: {queue: claims, exclude: [ann]}}\n",
            ["book.yaml:8:65 rules[0].set.exclude: it excludes everybody who takes cases of the queue `claims`"],
        ),
        (
            "  - {name: one, match: {text: x}, set: {exclude: [ann, bo]}}\n",
            ["book.yaml:8:50 rules[0].set.exclude: it excludes everybody who takes cases of the queue `general`"],
        ),
    ],
)
def test_exclusions_beside_a_roster(rules: str, expected: list[str]) -> None:
    assert doubts(rules) == expected


def test_nobody_is_called_last_advisor() -> None:
    with pytest.raises(RosterError, match="reserved for what rules exclude"):
        load_roster({"roster.yaml": ROSTER.replace("id: bo", "id: last-advisor")})


def test_a_step_of_a_ladder_names_advisors_too() -> None:
    steps = "ladders:\n  up: {steps: [{by_hand: true, exclude: [last-advisor, anne]}]}\nrules: []\n"
    book = BOOK.removesuffix("rules:\n") + steps
    told = [str(problem) for problem in lint(load({"book.yaml": book}), load_roster({"roster.yaml": ROSTER}))]
    assert told == [
        (
            "book.yaml:8:56 ladders.up.steps[0].exclude[1]: no advisor on the roster is called `anne` "
            '(did you mean "ann"?)'
        )
    ]
    with pytest.raises(RulebookError, match="`bo` is listed twice"):
        load({"book.yaml": book.replace("last-advisor, anne", "bo, bo")})
