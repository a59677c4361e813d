"""Golden messages for broken ladders and steps of relaxation."""

import pytest

from rules import RulebookError, content, load, restore

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
