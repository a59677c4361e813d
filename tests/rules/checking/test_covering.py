"""Rules that can never match are found before they are put in force."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import Facts, load, load_roster
from rules.checking.covering import covered
from rules.conditions.match import compile_match
from rules.conditions.view import View
from rules.errors import RulebookError
from rules.rulebook import Rule
from tests.suites.linting import BOOK, ROSTER, found


def told(*matches: dict[str, Any], continues: tuple[int, ...] = ()) -> list[tuple[int, str]]:
    rules = [
        Rule(name=f"r{number}", match=match, continue_=number in continues) for number, match in enumerate(matches)
    ]
    return [*covered(rules)]


COVERED = [
    ({"channel": "chat"}, {"channel": "chat", "text": "money"}),
    ({"channel": {"one_of": ["chat", "email"]}}, {"channel": "email"}),
    ({"text": {"contains": ["refund", "환불"]}}, {"text": {"contains": "환불"}, "channel": "chat"}),
    ({"text": {"contains": "Refund"}}, {"text": {"contains": "refund"}}),
    ({"text": {"words": ["lawyer", "court"]}}, {"text": {"words": ["court"]}}),
    ({"subject": {"prefix": "re:"}}, {"subject": {"prefix": ["re:"]}}),
    ({"attachments": {"range": [1, None]}}, {"attachments": {"range": [2, 5]}}),
    ({"customer.tags": "vip"}, {"customer.tags": "vip", "reopened": {"range": [2, None]}}),
    ({"any": [{"text": "a"}, {"text": "b"}]}, {"any": [{"text": "a"}, {"text": "b"}], "channel": "chat"}),
    ({"subject": {"present": True}}, {"subject": {"present": True}, "channel": "chat"}),
]
FREE = [
    ({"channel": "chat", "text": "money"}, {"channel": "chat"}),
    ({"channel": "email"}, {"channel": {"one_of": ["chat", "email"]}}),
    ({"text": {"contains": "환불"}}, {"text": {"contains": ["refund", "환불"]}}),
    ({"text": {"words": "court"}}, {"text": {"contains": "court"}}),
    ({"attachments": {"range": [2, 5]}}, {"attachments": {"range": [1, None]}}),
    ({"subject": {"present": True}}, {"subject": {"present": False}}),
    ({"any": [{"text": "a"}]}, {"all": [{"text": "a"}]}),
    ({"channel": "chat"}, {"text": "money"}),
]


@pytest.mark.parametrize(("first", "second"), COVERED)
def test_a_rule_behind_a_wider_one_is_never_reached(first: dict[str, Any], second: dict[str, Any]) -> None:
    ((index, message),) = told(first, second)
    assert index == 1
    assert message.startswith("never reached: `r0` ")
    assert told(first, second, continues=(0,)) == []


@pytest.mark.parametrize(("first", "second"), FREE)
def test_one_behind_a_narrower_or_another_one_is(first: dict[str, Any], second: dict[str, Any]) -> None:
    assert told(first, second) == []


@pytest.mark.parametrize(
    ("match", "field"),
    [
        ({"all": [{"channel": "chat"}, {"channel": "email"}]}, "channel"),
        ({"channel": "chat", "all": [{"channel": {"one_of": ["email", "webhook"]}}]}, "channel"),
        ({"reopened": 1, "all": [{"reopened": 2}]}, "reopened"),
        ({"all": [{"channel": "chat"}, {"channel": {"one_of": ["email", "chat"]}}]}, None),
        ({"all": [{"labels": "a"}, {"labels": "b"}]}, None),  # a list may have both
        ({"any": [{"channel": "chat"}, {"channel": "email"}]}, None),
    ],
)
def test_a_text_cannot_be_two_things_at_once(match: dict[str, Any], field: str | None) -> None:
    expected = [(0, f"never matches: `{field}` can't be all of that at once")] if field else []
    assert told(match) == expected


CHANNELS = st.sampled_from(["chat", "email", "webhook"])
CONDITIONS = st.fixed_dictionaries(
    {},
    optional={
        "channel": CHANNELS | st.builds(lambda some: {"one_of": some}, st.lists(CHANNELS, min_size=1, max_size=2)),
        "text": st.sampled_from(["a", {"contains": "a"}, {"contains": ["a", "b"]}, {"words": "a"}, {"prefix": "a"}]),
        "attachments": st.sampled_from([0, 1, {"range": [1, None]}, {"range": [0, 2]}, {"present": True}]),
        "labels": st.sampled_from(["x", {"one_of": ["x", "y"]}]),
        "all": st.sampled_from([[{"channel": "chat"}], [{"channel": "email"}, {"attachments": 1}]]),
    },
).filter(bool)
FACTS = [
    Facts(channel=channel, account="a", text=text, attachments=attachments, labels=labels)
    for channel in ("chat", "email", "webhook")
    for text in ("", "a", "a b", "ba", "b")
    for attachments in (0, 1, 2, 3)
    for labels in ((), ("x",), ("y",))
]


def matching(match: dict[str, Any]) -> set[int]:
    test = compile_match(match, (), [])
    return {number for number, facts in enumerate(FACTS) if test(View(facts))}


@given(first=CONDITIONS, second=CONDITIONS)
def test_whatever_is_said_to_be_covered_is(first: dict[str, Any], second: dict[str, Any]) -> None:
    for index, message in told(first, second):
        if message.startswith("never matches"):
            assert matching((first, second)[index]) == set()
        else:
            assert matching(second) <= matching(first)


def test_many_rules_are_looked_through_quickly() -> None:
    """What a rule is compared with doesn't grow with the rules: else 5,000 of them were 12 million comparisons."""
    compared = 0

    class Counted(dict[str, Any]):
        def get(self, *args: Any) -> Any:
            nonlocal compared
            compared += 1
            return super().get(*args)

    rules = [Rule(name=f"r{number}", match=Counted(text={"contains": f"word{number}"})) for number in range(2_000)]
    assert [*covered(rules)] == []
    assert compared <= 4 * len(rules)


def test_scenario_23_what_can_never_work_is_found_before_it_is_put_in_force() -> None:
    never = BOOK + "  - {name: more, match: {text: money, channel: chat}, set: {queue: general}}\n"
    with pytest.raises(RulebookError, match="never reached: `money` matches whenever this one does"):
        load({"book.yaml": never})
    assert load_roster({"roster.yaml": ROSTER})
    assert any(
        "no advisor on the roster has this skill" in each
        for each in found(roster=ROSTER.replace("billing: 6", "returns: 6"))
    )
    assert any(
        "takes cases of this queue" in each for each in found(roster=ROSTER.replace("tier: senior", "tier: junior"))
    )
