"""Promises: the policy by priority, queue, customer's segment, channel and label, after the rules."""

import pytest

from rules import CustomerFacts, Facts, RulebookError, Verdict, content, judge, load, restore

TEXT = """\
defaults: {queue: general, language: en}
policies:
  standard: {first_response_s: 3600, resolution_s: 7200}
  quick: {first_response_s: 60, resolution_s: 120}
  gold: {first_response_s: 30, resolution_s: 90}
queues:
  general: {policy: standard}
  billing: {policy: standard}
outcomes: {solved: Done}
rules:
  - {name: own, match: {text: own}, set: {policy: quick}}
  - {name: urgent, match: {text: {contains: now}}, set: {priority: 1, labels: [hot]}, continue: true}
  - {name: bill, match: {text: {contains: bill}}, set: {queue: billing}}
promises:
  - {name: gold-chat, match: {customer.segment: gold, channel: chat}, policy: gold}
  - {name: high, match: {priority: {range: [1, 2]}, queue: billing}, policy: quick}
  - {name: hot, match: {labels: hot}, policy: gold}
"""
BOOK = load({"a.yaml": TEXT})


def judged(text: str, *, channel: str = "email", segment: str | None = None, labels: tuple[str, ...] = ()) -> Verdict:
    customer = CustomerFacts(segment=segment)
    return judge(BOOK, Facts(channel=channel, account="a", text=text, customer=customer, labels=labels))


@pytest.mark.parametrize(
    ("text", "more", "policy", "reason"),
    [
        ("hello", {}, "standard", "queue"),
        ("hello", {"channel": "chat", "segment": "Gold"}, "gold", "gold-chat"),
        ("hello", {"channel": "email", "segment": "gold"}, "standard", "queue"),
        ("a bill, now", {}, "quick", "high"),
        ("a bill", {}, "standard", "queue"),
        ("now", {}, "gold", "hot"),  # a label of the rules
        ("hello", {"labels": ("hot",)}, "gold", "hot"),  # and one of upstream
        ("own", {"channel": "chat", "segment": "gold"}, "quick", "own"),  # a rule goes before
    ],
)
def test_the_first_promise_that_matches_gives_the_policy(
    text: str, more: dict[str, object], policy: str, reason: str
) -> None:
    verdict = judged(text, **more)  # type: ignore[arg-type]  # by name
    assert verdict.policy == policy
    assert [each.rule for each in verdict.reasons if "policy" in each.set] == [reason]


def test_a_restored_rulebook_promises_the_same() -> None:
    again = restore(content(BOOK))
    facts = Facts(channel="email", account="a", text="a bill, now")
    assert (again.hash, judge(again, facts)) == (BOOK.hash, judge(BOOK, facts))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("policy: gold}\n  - {name: high", "policy: glod}\n  - {name: high", "promises[0].policy: there is no policy"),
        ("name: high", "name: bill", "promises[1].name: something else is called `bill` too"),
        ("match: {customer.segment: gold, channel: chat}, ", "", "promises[1]: never reached: `gold-chat` before it"),
        ("match: {labels: hot}", "match: {prio: 1}", "unknown field `prio`"),
        ("match: {text: {contains: bill}}", "match: {priority: {range: [1, 2]}}", "unknown field `priority`"),
        ("match: {text: own}", "match: {queue: billing}", "unknown field `queue`"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_promise_is_said_with_its_place(old: str, new: str, told: str) -> None:
    assert old in TEXT
    with pytest.raises(RulebookError) as caught:
        load({"a.yaml": TEXT.replace(old, new, 1)})
    assert told in str(caught.value)
