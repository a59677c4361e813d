"""Golden messages for broken ladders and steps of relaxation."""

from typing import Any

import pytest

from rules import Facts, RulebookError, called, content, load, restore

GOOD = """\
defaults: {queue: billing}
skills: {billing: Money, technical: Machines}
tiers: [junior, senior, lead]
policies:
  standard: {first_response_s: 3600, resolution_s: 7200}
queues:
  general: {policy: standard}
  billing:
    policy: standard
    tiers: [senior]
    relax:
      - {after_s: 40, levels: {billing: 3}}
      - {after_s: 90, drop: [billing], queues: [general], tiers: [junior], languages: [en]}
outcomes: {solved: Done}
"""


def problems_of(text: str) -> list[str]:
    with pytest.raises(RulebookError) as caught:
        load({"a.yaml": text})
    return [str(problem) for problem in caught.value.problems]


def test_good_steps_load_and_come_back_from_a_store() -> None:
    book = load({"a.yaml": GOOD})
    first, second = book.queues["billing"].relax
    assert (first.after_s, first.levels, first.is_empty) == (40, {"billing": 3}, False)
    assert (second.drop, second.queues, second.tiers, second.languages) == (
        ("billing",),
        ("general",),
        ("junior",),
        ("en",),
    )
    assert restore(content(book)).queues == book.queues


@pytest.mark.parametrize(
    ("good", "bad", "told"),
    [
        (
            "levels: {billing: 3}",
            "levels: {biling: 3}",
            'a.yaml:12:32 queues.billing.relax[0].levels.biling: there is no skill `biling` (did you mean "billing"?)',
        ),
        (
            "drop: [billing]",
            "drop: [bilings]",
            'a.yaml:13:30 queues.billing.relax[1].drop[0]: there is no skill `bilings` (did you mean "billing"?)',
        ),
        (
            "queues: [general]",
            "queues: [genral]",
            'a.yaml:13:49 queues.billing.relax[1].queues[0]: there is no queue `genral` (did you mean "general"?)',
        ),
        (
            "tiers: [junior]",
            "tiers: [junor]",
            'a.yaml:13:67 queues.billing.relax[1].tiers[0]: there is no tier `junor` (did you mean "junior"?)',
        ),
        ("after_s: 90", "after_s: 40", "a.yaml:13:19 queues.billing.relax[1].after_s: not after the step before it"),
        ("after_s: 40", "after_s: 0", "a.yaml:12:19 queues.billing.relax[0].after_s: expected `int` >= 1"),
        (
            ", levels: {billing: 3}}",
            "}",
            (
                "a.yaml:12:9 queues.billing.relax[0]: the step does nothing: "
                "give `levels`, `drop`, `queues`, `tiers` or `languages`"
            ),
        ),
        (
            "drop: [billing]",
            "levels: {billing: 3}",
            "a.yaml:13:41 queues.billing.relax[1].levels.billing: a step before asks for 3 already",
        ),
        (
            "levels: {billing: 3}",
            "drop: [billing]",
            "a.yaml:13:30 queues.billing.relax[1].drop[0]: `billing` is dropped by a step before",
        ),
        (
            "drop: [billing]",
            "drop: [billing], levels: {billing: 2}",
            "a.yaml:13:49 queues.billing.relax[1].levels.billing: `billing` is dropped by the same step",
        ),
        (
            "queues: [general]",
            "queues: [billing]",
            "a.yaml:13:49 queues.billing.relax[1].queues[0]: the case waits in this queue anyway",
        ),
        (
            "tiers: [junior]",
            "tiers: [senior]",
            "a.yaml:13:67 queues.billing.relax[1].tiers[0]: the queue takes advisors of `senior` anyway",
        ),
        (
            "    tiers: [senior]\n",
            "",
            "a.yaml:12:66 queues.billing.relax[1].tiers: the queue takes advisors of every tier anyway",
        ),
        (
            "languages: [en]",
            "languages: [en], any_language: true",
            "a.yaml:13:87 queues.billing.relax[1].languages: with `any_language` every language will do",
        ),
        (
            "languages: [en]",
            "languages: [english]",
            (
                'a.yaml:13:88 queues.billing.relax[1].languages[0]: "english" is no primary language tag; '
                'write two or three small letters, such as "en"'
            ),
        ),
        (
            "after_s: 40",
            "after_min: 40",
            'a.yaml:12:10 queues.billing.relax[0].after_min: unknown field `after_min` (did you mean "after_s"?)',
        ),
    ],
)
def test_a_flaw_is_told_with_its_place(good: str, bad: str, told: str) -> None:
    assert good in GOOD
    assert told in problems_of(GOOD.replace(good, bad))


LADDERS = """\
ladders:
  plain: {steps: [{at: breach, notify: [leads]}]}
  full:
    above: [director]
    steps:
      - {at: 0.5, raise_priority: 1}
      - {after_s: 600, clock: resolution, labels: [late]}
      - {missed: 2, relax: {levels: {billing: 2}}}
      - {missed: 4, reassign: beside}
      - {match: {message: {words: [lawyer, 소비자원]}}, move_up: true, labels: [legal]}
      - {match: {reopened: {range: [3, null]}}, ladder: plain}
      - {by_hand: true, move_up: true, reassign: take, note: true}
"""


def test_every_trigger_and_action_loads_and_comes_back() -> None:
    book = load({"a.yaml": GOOD + LADDERS})
    steps = book.ladders["full"].steps
    assert [step.trigger for step in steps] == [
        "share", "after", "missed", "missed", "message", "message", "by-hand",
    ]  # fmt: skip
    stored = restore(content(book))
    assert (stored.ladders, stored.hash) == (book.ladders, book.hash)
    assert [test is not None for test in stored.calls["full"]] == [step.trigger == "message" for step in steps]


@pytest.mark.parametrize(
    ("facts", "rungs"),
    [
        ({"text": "I will ask my lawyer"}, (5,)),
        ({"text": "소비자원에 신고합니다"}, (5,)),
        ({"text": "lawyer", "reopened": 3}, (5, 6)),
        ({"text": "hello", "reopened": 2}, ()),
    ],
)
def test_which_steps_a_message_calls(facts: dict[str, Any], rungs: tuple[int, ...]) -> None:
    book = load({"a.yaml": GOOD + LADDERS})
    assert called(book, "full", Facts(channel="email", account="a", **facts)) == rungs
    assert called(book, "plain", Facts(channel="email", account="a", **facts)) == ()
    assert called(book, "gone", Facts(channel="email", account="a", **facts)) == ()


@pytest.mark.parametrize(
    ("good", "bad", "told"),
    [
        ("missed: 4", "missed: 2", "steps[3].missed: not after the step before it on missed offers"),
        ("missed: 4", "missed: 4, by_hand: true", "steps[3]: a step comes for one reason: give one of `at`, "),
        ("missed: 4", "missed: 4, clock: resolution", "steps[3].clock: only `at` and `after_s` look at a clock"),
        (", reassign: beside", "", "steps[3]: the step does nothing: give `raise_priority`, "),
        ("beside", "besides", '"besides" is none of take, beside (did you mean "beside"?)'),
        ("{levels: {billing: 2}}", "{levels: {biling: 2}}", 'there is no skill `biling` (did you mean "billing"?)'),
        ("{levels: {billing: 2}}", "{}", "steps[2].relax: asks nothing less: give `levels`, "),
        ("ladder: plain", "ladder: plian", 'steps[5].ladder: there is no ladder `plian` (did you mean "plain"?)'),
        ("ladder: plain", "ladder: full", "steps[5].ladder: the case is on this ladder already"),
        ("words: [lawyer", "word: [lawyer", 'unknown operator `word` (did you mean "words"?)'),
        ("match: {message:", "match: {mesage:", 'unknown field `mesage` (did you mean "message"?)'),
        ("note: true", "notes: true", 'steps[6].notes: unknown field `notes` (did you mean "note"?)'),
    ],
)  # fmt: skip
def test_a_flaw_of_a_ladder_is_told_with_its_place(good: str, bad: str, told: str) -> None:
    assert good in LADDERS
    problems = problems_of(GOOD + LADDERS.replace(good, bad))
    assert any(told in problem and problem.startswith("a.yaml:") for problem in problems), problems


def test_moving_up_needs_tiers() -> None:
    text = (GOOD + LADDERS).replace("tiers: [junior, senior, lead]\n", "").replace("    tiers: [senior]\n", "")
    text = text.replace(", tiers: [junior]", "")
    assert [problem for problem in problems_of(text) if "move_up" in problem] == [
        f"a.yaml:{line}:{column} ladders.full.steps[{index}].move_up: the rulebook has no `tiers` to move up"
        for index, line, column in ((4, 22, 62), (6, 24, 34))
    ]
