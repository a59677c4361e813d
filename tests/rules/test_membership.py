"""Secondary members of queues: their step among those of the queue, and what is refused or doubtful about them."""

import pytest

from rules import RosterError, Rulebook, content, lint, load, load_roster
from rules.membership import queue_of, secondary, steps_of

BOOK = """\
defaults: {queue: general}
policies: {standard: {first_response_s: 60, resolution_s: 600}}
queues:
  general: {policy: standard}
  billing: {policy: standard}
outcomes: {solved: Done}
"""
RELAX = "relax: [{after_s: 40, any_language: true}, {after_s: 90, queues: [general]}]"
ROSTER = """\
advisors:
  - {id: ann, name: Ann, queues: [billing]}
  - {id: bo, name: Bo, queues: [general], secondary: [billing]}
"""


def book(settings: str) -> Rulebook:
    return load(
        {"book.yaml": BOOK.replace("  billing: {policy: standard}", f"  billing: {{policy: standard, {settings}}}")}
    )


def doubts(settings: str, roster: str = ROSTER) -> list[str]:
    return [str(problem) for problem in lint(book(settings), load_roster({"roster.yaml": roster}))]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ("order: fifo", []),
        ("secondary_after_s: 60", [(60, True)]),
        (RELAX, [(40, False), (90, False)]),
        (f"secondary_after_s: 20, {RELAX}", [(20, True), (40, False), (90, False)]),
        (f"secondary_after_s: 60, {RELAX}", [(40, False), (60, True), (90, False)]),
        (f"secondary_after_s: 90, {RELAX}", [(40, False), (90, True), (90, False)]),
        (f"secondary_after_s: 99, {RELAX}", [(40, False), (90, False), (99, True)]),
    ],
)
def test_they_join_by_a_step_in_its_time(settings: str, expected: list[tuple[int, bool]]) -> None:
    steps = steps_of("billing", book(settings).queues["billing"])
    assert [(step.after_s, step.queues == (secondary("billing"),)) for step in steps] == expected


def test_their_name_is_no_queues() -> None:
    assert (queue_of(secondary("billing")), queue_of("billing")) == ("billing", None)
    row = load_roster({"roster.yaml": ROSTER}).advisors[1]
    assert [row.serves(name) for name in ("general", "billing", secondary("billing"), secondary("general"))] == [
        True,
        False,
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("queues: [general], ", "", "an advisor without `queues` serves all of them anyway: name his own"),
        ("secondary: [billing]", "secondary: [general]", "`general` is one of his `queues`"),
        ("secondary: [billing]", "secondary: [billing, billing]", "`billing` is listed twice"),
        ("secondary: [billing]", "secondary: [billing/secondary]", "must be up to 64 small letters"),
    ],
)
def test_memberships_that_mean_nothing_are_refused(old: str, new: str, expected: str) -> None:
    assert old in ROSTER
    with pytest.raises(RosterError, match=expected):
        load_roster({"roster.yaml": ROSTER.replace(old, new)})


@pytest.mark.parametrize(
    ("settings", "roster", "expected"),
    [
        ("secondary_after_s: 60", ROSTER, []),
        (
            "order: fifo",
            ROSTER,
            [
                (
                    "book.yaml:5:12 queues.billing: 1 on the roster are secondary members: "
                    "without `secondary_after_s` they get none of it"
                )
            ],
        ),
        (
            "secondary_after_s: 60",
            ROSTER.replace(", secondary: [billing]", ""),
            [
                (
                    "book.yaml:5:50 queues.billing.secondary_after_s: "
                    "no advisor on the roster is a secondary member of the queue"
                )
            ],
        ),
        (
            "secondary_after_s: 60",
            ROSTER.replace("queues: [billing]", "queues: [general]"),
            [
                (
                    "book.yaml:5:12 queues.billing: "
                    "no advisor on the roster takes cases of this queue before it is relaxed, after 60 s"
                )
            ],
        ),
        (
            "secondary_after_s: 60",
            ROSTER.replace("secondary: [billing]", "secondary: [biling, billing]"),
            ['roster.yaml:3:5 advisor bo: the rulebook has no queue `biling` (did you mean "billing"?)'],
        ),
        (
            "secondary_after_s: 60, relax: [{after_s: 90, queues: [general]}]",
            ROSTER,
            ["book.yaml:5:62 queues.billing.relax[0]: the step lets nobody in who could not have the case before"],
        ),
    ],
)
def test_what_is_doubtful_about_them(settings: str, roster: str, expected: list[str]) -> None:
    assert doubts(settings, roster) == expected


def test_the_hash_of_a_rulebook_without_them_is_as_it_was() -> None:
    assert b"secondary" not in content(book("order: fifo"))
