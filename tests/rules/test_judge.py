from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules import CustomerFacts, Facts, Reason, Rulebook, Verdict, Want, judge, load
from rules.judge import MAX_REASONS

BASE = """
defaults: {queue: general, priority: 4}
skills: {billing: Money, returns: Things coming back}
policies:
  standard: {first_response_s: 3600, resolution_s: 7200}
  quick: {first_response_s: 60, resolution_s: 120}
ladders:
  up: {steps: [{raise_priority: 1}]}
queues:
  general: {policy: standard}
  billing: {policy: quick, ladder: up, acknowledge: true}
outcomes: {solved: Done}
"""


def rulebook(rules: str) -> Rulebook:
    return load({"base.yaml": BASE, "rules.yaml": f"rules:\n{rules}"})


def ask(text: str = "", **more: Any) -> Facts:
    return Facts(channel="chat", account="a", text=text, **more)


def test_without_a_match_the_defaults_decide() -> None:
    verdict = judge(rulebook("  - {name: one, match: {text: bill}, set: {queue: billing}}"), ask("hello"))
    assert (verdict.queue, verdict.priority, verdict.policy, verdict.ladder) == ("general", 4, "standard", None)
    assert not verdict.acknowledge
    assert verdict.reasons == (
        Reason("queue", ("policy", "acknowledge")),
        Reason("language", ("language",)),
        Reason("defaults", ("queue", "priority")),
    )


def test_the_first_match_wins() -> None:
    book = rulebook("""
  - {name: one, match: {text: {contains: bill}}, set: {queue: billing}}
  - {name: two, match: {text: {contains: [bill, invoice]}}, set: {queue: general, labels: [late]}}
""")
    verdict = judge(book, ask("my bill"))
    assert (verdict.queue, verdict.labels) == ("billing", ())
    assert (verdict.policy, verdict.ladder, verdict.acknowledge) == ("quick", "up", True)


def test_a_rule_that_continues_keeps_its_fields_and_adds_up_skills_and_labels() -> None:
    book = rulebook("""
  - name: one
    set: {priority: 1, skills: {billing: 3, returns: 2}, labels: [x], acknowledge: false}
    continue: true
  - name: two
    match: {text: {contains: bill}}
    set: {queue: billing, priority: 2, skills: {billing: 5, returns: {level: 9, hard: false}}, labels: [y, x]}
""")
    verdict = judge(book, ask("my bill"))
    assert (verdict.queue, verdict.priority, verdict.acknowledge) == ("billing", 1, False)
    assert verdict.wants == (Want("billing", 5), Want("returns", 2))
    assert verdict.labels == ("x", "y")
    assert verdict.reasons[:3] == (
        Reason("one", ("priority", "acknowledge", "wants", "labels")),
        Reason("two", ("queue", "wants", "labels")),
        Reason("queue", ("policy", "ladder")),
    )


def test_a_rule_that_comes_too_late_is_still_named() -> None:
    book = rulebook("""
  - {name: one, set: {priority: 1}, continue: true}
  - {name: two, set: {priority: 2}}
""")
    assert judge(book, ask()).reasons[1] == Reason("two", ())


def test_a_soft_want_made_hard_keeps_the_hard_level() -> None:
    book = rulebook("""
  - {name: one, set: {skills: {billing: {level: 8, hard: false}}}, continue: true}
  - {name: two, set: {skills: {billing: 3}}}
""")
    assert judge(book, ask()).wants == (Want("billing", 3),)


@pytest.mark.parametrize(
    ("facts", "language"),
    [
        (ask("배송 문의"), "ko"),
        (ask("배송 문의", language="en-US"), "en"),
        (ask("배송 문의", language="und"), "ko"),
        (ask("배송 문의", language="not a tag"), "ko"),
        (ask("12345"), None),
        (ask("12345", language="ZH_hant"), "zh"),
        (ask("to French", labels=("fr",)), "fr"),
    ],
)
def test_language_from_rule_then_facts_then_text(facts: Facts, language: str | None) -> None:
    book = rulebook("  - {name: french, match: {labels: fr}, set: {language: fr}}")
    assert judge(book, facts).language == language


def test_the_default_language_fills_what_the_text_leaves_open() -> None:
    book = load({"b.yaml": BASE.replace("priority: 4", "language: ko")})
    verdict = judge(book, ask("12345"))
    assert verdict.language == "ko"
    assert verdict.reasons[-1] == Reason("defaults", ("queue", "priority", "language"))


def test_reasons_are_bounded() -> None:
    rules = "".join(f"  - {{name: r{n}, set: {{labels: [l{n}]}}, continue: true}}\n" for n in range(60))
    verdict = judge(rulebook(rules), ask())
    assert len(verdict.reasons) == MAX_REASONS
    assert len(verdict.labels) == 60


def test_a_verdict_survives_the_wire_and_unknown_fields() -> None:
    verdict = judge(rulebook("  - {name: one, set: {skills: {billing: 2}}}"), ask("안녕"))
    plain = msgspec.json.decode(msgspec.json.encode(verdict))
    assert msgspec.convert({**plain, "added_later": 1}, Verdict) == verdict


EVERYTHING = rulebook("""
  - {name: a, match: {message: {words: [환불, "refund*", "log in"]}}, set: {labels: [a]}, continue: true}
  - {name: b, match: {text: {contains: [ß, İ]}, language: ko}, set: {labels: [b]}, continue: true}
  - {name: c, match: {any: [{labels: {prefix: x}}, {customer.tags: {present: true}}]}, continue: true}
  - {name: d, match: {fields.n: {range: [0, 10]}, not: {subject: {present: false}}}, continue: true}
  - {name: e, match: {attachments: {range: [1, null]}, reopened: 0}, continue: true}
  - {name: f, match: {customer.id: x, customer.segment: {one_of: [gold]}, account: {prefix: q}}}
""")

_TEXT = st.text(st.characters(), max_size=80) | st.sampled_from(
    ["", "\ud800", "İß", "1e999", "٣", "1_0", "환불 refund"]
)
_FACTS = st.builds(
    Facts,
    channel=_TEXT,
    account=_TEXT,
    subject=_TEXT,
    text=_TEXT,
    language=st.none() | _TEXT,
    customer=st.builds(CustomerFacts, id=st.none() | _TEXT, tags=st.lists(_TEXT).map(tuple), segment=st.none() | _TEXT),
    labels=st.lists(_TEXT).map(tuple),
    fields=st.dictionaries(st.sampled_from(["n", "m"]), _TEXT),
    attachments=st.integers(),
    reopened=st.integers(),
)


@settings(max_examples=300, deadline=None)
@given(_FACTS)
def test_judging_never_raises_and_is_repeatable(facts: Facts) -> None:
    verdict = judge(EVERYTHING, facts)
    assert verdict == judge(EVERYTHING, facts)
    assert verdict.queue in EVERYTHING.queues
    assert verdict.policy in EVERYTHING.policies
    assert verdict.language != "und"
    assert msgspec.json.decode(msgspec.json.encode(verdict), type=Verdict) == verdict


def test_whom_rules_exclude_adds_up_and_is_explained() -> None:
    book = rulebook("""
  - {name: conflict, match: {customer.id: ann}, set: {exclude: [minji]}, continue: true}
  - {name: complaint, match: {text: {contains: complaint}}, set: {exclude: [last-advisor, minji, ben]}}
""")
    verdict = judge(book, ask("a complaint", customer=CustomerFacts(id="ann")))
    assert verdict.exclude == ("minji", "last-advisor", "ben")
    assert verdict.reasons[:2] == (Reason("conflict", ("exclude",)), Reason("complaint", ("exclude",)))
    assert judge(book, ask("hello")).exclude == ()
