import pytest

from rules import Severity, lint, load, load_roster, restore
from rules.rulebook import content
from tests.suites.linting import BOOK, ROSTER, found


def test_nothing_is_said_of_a_good_pair_but_where_no_language_fits() -> None:
    assert found() == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "billing: 6",
            "biling: 6",
            [
                'error roster.yaml:2:5 advisor ann: the rulebook has no skill `biling` (did you mean "billing"?)',
                "error book.yaml:11:81 rules[0].set.skills.billing: no advisor has `billing` at level 5 or above",
                "warning book.yaml:2:19 skills.billing: no advisor on the roster has this skill",
            ],
        ),
        (
            "billing: 6",
            "billing: 4",
            ["error book.yaml:11:81 rules[0].set.skills.billing: no advisor has `billing` at level 5 or above"],
        ),
        (
            "tier: senior",
            "tier: senor",
            [
                'error roster.yaml:2:5 advisor ann: the rulebook has no tier `senor` (did you mean "senior"?)',
                "error book.yaml:8:12 queues.billing: no advisor on the roster takes cases of this queue",
            ],
        ),
        (
            "{chat: 2}",
            "{chta: 2}",
            ['error roster.yaml:3:5 advisor bo: the rulebook has no channel `chta` (did you mean "chat"?)'],
        ),
        (
            "name: Bo,",
            "name: Bo, queues: [generl],",
            [
                'error roster.yaml:3:5 advisor bo: the rulebook has no queue `generl` (did you mean "general"?)',
                "error book.yaml:12:53 rules[1].set.skills: nobody in the queue `general` has all of: returns 3",
            ],
        ),
        (
            "{en: 10, ko: 2}",
            "{en: 10}",
            ['warning book.yaml:8:12 queues.billing: no advisor of this queue speaks "ko", which others do'],
        ),
        (
            "{ko: 10, en: 1}",
            "{ko: 10}",
            [
                ('warning book.yaml:12:53 rules[1].set.skills: nobody in the queue `general` who speaks "en"'
                " has all of: returns 3")
            ],
        ),
    ],
)  # fmt: skip
def test_what_a_roster_lacks(old: str, new: str, expected: list[str]) -> None:
    assert old in ROSTER
    assert found(roster=ROSTER.replace(old, new)) == expected


@pytest.mark.parametrize("strategy", ["most-skilled", "least-skilled"])
def test_a_queue_that_ranks_by_skills_that_no_rule_wants(strategy: str) -> None:
    book = BOOK.replace("general: {policy: standard}", f"general: {{policy: standard, strategy: {strategy}}}")
    assert found(book=book) == []
    assert found(book=book[: book.index("rules:")]) == [
        f"warning book.yaml:7:41 queues.general.strategy: the strategy is `{strategy}`, and no rule wants a skill"
    ]


def test_a_channel_too_heavy_for_everybody() -> None:
    assert found(book=BOOK.replace("units: 100", "units: 101")) == [
        "error book.yaml:4:38 channels.voice: no advisor has a budget of 101 units"
    ]


def test_a_queue_carried_on_by_a_rule_that_continues_needs_the_later_skills() -> None:
    book = BOOK.replace("rules:\n", "rules:\n  - {name: vip, set: {queue: billing}, continue: true}\n")
    assert found(book=book) == [
        "warning book.yaml:13:53 rules[2].set.skills: nobody in the queue `billing` has all of: returns 3"
    ]


def test_a_soft_want_needs_nobody() -> None:
    assert found(book=BOOK.replace("{billing: 5}", "{billing: {level: 10, hard: false}}")) == []


def test_an_empty_roster_leaves_every_queue_unserved() -> None:
    assert [line.split(":")[0] for line in found(roster="advisors: []")].count("error book.yaml") == 6


def test_a_restored_rulebook_is_linted_without_places() -> None:
    book = restore(content(load({"book.yaml": BOOK})))
    problems = lint(book, load_roster({"roster.yaml": "advisors: []"}))
    assert str(problems[0]) == "channels.chat: no advisor has a budget of 30 units"
    assert problems[-1].severity is Severity.WARNING


RELAX = "relax: [{after_s: 60, levels: {billing: 4}}, {after_s: 90, drop: [billing], tiers: [junior]}]"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("", "", []),
        (
            "billing: 6",
            "billing: 4",
            [
                (
                    "warning book.yaml:11:81 rules[0].set.skills.billing: "
                    "no advisor has `billing` at level 5 or above before it is relaxed, after 60 s"
                )
            ],
        ),
        (
            "billing: 6",
            "returns: 6",
            [
                "warning book.yaml:2:19 skills.billing: no advisor on the roster has this skill",
                (
                    "warning book.yaml:11:81 rules[0].set.skills.billing: "
                    "no advisor has `billing` at level 5 or above before it is relaxed, after 90 s"
                ),
            ],
        ),
        (
            "tier: senior, languages: {en: 10, ko: 2}, skills: {billing: 6}",
            "tier: junior, languages: {en: 10, ko: 2}, skills: {billing: 6}",
            [
                (
                    "warning book.yaml:8:12 queues.billing: "
                    "no advisor on the roster takes cases of this queue before it is relaxed, after 90 s"
                )
            ],
        ),
        (
            "tier: junior",
            "tier: senior",
            [
                (
                    "warning book.yaml:8:93 queues.billing.relax[1]: "
                    "the step lets nobody in who could not have the case before"
                )
            ],
        ),
    ],
)
def test_what_a_step_of_relaxation_ends_is_to_be_judged(old: str, new: str, expected: list[str]) -> None:
    book = BOOK.replace("tiers: [senior]}\n", f"tiers: [senior], {RELAX}}}\n", 1)
    assert old in ROSTER
    assert found(book, ROSTER.replace(old, new)) == expected
