"""Tables of conditions: what each operator accepts, and what it says about a wrong one."""

from typing import Any

import pytest

from rules import CustomerFacts, Facts
from rules.conditions.match import MAX_CONDITIONS, compile_match
from rules.conditions.view import View
from rules.shape import Flaw

FACTS = Facts(
    channel="web_form",
    account="shop-kr",
    subject="Order 1234",
    text="I can't log-in, and my Refund is late. 환불해주세요. STRASSE",
    language="en-GB",
    customer=CustomerFacts(id="c-1", tags=("VIP", "Newsletter-2024"), segment="Gold"),
    labels=("from:crm",),
    fields={"amount": "1,250.50", "topic": " ", "note": "nan"},
    attachments=2,
)


def holds(match: object, facts: Facts = FACTS) -> bool:
    flaws: list[Flaw] = []
    test = compile_match(match, (), flaws)
    assert flaws == []
    return test(View(facts))


def flaws_in(match: object) -> list[tuple[str, str]]:
    flaws: list[Flaw] = []
    compile_match(match, (), flaws)
    return [(".".join(map(str, flaw.path)), flaw.message) for flaw in flaws]


@pytest.mark.parametrize(
    ("match", "expected"),
    [
        ({}, True),
        ({"channel": "web_form"}, True),
        ({"channel": "WEB_FORM"}, True),
        ({"channel": "email"}, False),
        ({"channel": {"one_of": ["email", "web_form"]}}, True),
        ({"account": {"prefix": "shop-"}}, True),
        ({"account": {"prefix": ["desk-", "help-"]}}, False),
        ({"text": {"contains": "refund"}}, True),
        ({"text": {"contains": ["exchange", "환불"]}}, True),
        ({"text": {"contains": "환불해주세요"}}, True),
        ({"text": {"contains": "straße"}}, True),
        ({"text": {"contains": "order"}}, False),
        ({"message": {"contains": "order 1234"}}, True),
        ({"text": {"words": "fund"}}, False),
        ({"text": {"words": "refund"}}, True),
        ({"text": {"words": "ref"}}, False),
        ({"text": {"words": "ref*"}}, True),
        ({"text": {"words": "cant log in"}}, True),
        ({"text": {"words": "can't log in"}}, True),
        ({"text": {"words": "환불"}}, True),
        ({"message": {"words": "strasse"}}, True),
        ({"language": "en"}, True),
        ({"language": {"one_of": ["ko", "ja"]}}, False),
        ({"customer.id": "c-1"}, True),
        ({"customer.segment": "gold"}, True),
        ({"customer.tags": "vip"}, True),
        ({"customer.tags": {"contains": ["vip", "new"]}}, True),
        ({"customer.tags": {"contains": "newsletter"}}, False),
        ({"customer.tags": {"prefix": "newsletter-"}}, True),
        ({"customer.tags": {"present": True}}, True),
        ({"labels": {"one_of": ["from:crm"]}}, True),
        ({"labels": {"present": False}}, False),
        ({"attachments": 2}, True),
        ({"attachments": {"one_of": [1, 3]}}, False),
        ({"attachments": {"range": [1, 2]}}, True),
        ({"attachments": {"range": [3, None]}}, False),
        ({"attachments": {"range": [None, 2]}}, True),
        ({"attachments": {"present": True}}, True),
        ({"reopened": {"present": False}}, True),
        ({"fields.amount": {"range": [1000, 2000]}}, True),
        ({"fields.amount": {"range": [2000, None]}}, False),
        ({"fields.note": {"range": [None, None]}}, False),
        ({"fields.missing": {"range": [None, 5]}}, False),
        ({"fields.missing": {"present": False}}, True),
        ({"fields.amount": {"present": True, "contains": ".50"}}, True),
        ({"fields.amount": {"present": True, "contains": ".51"}}, False),
        ({"any": [{"channel": "email"}, {"attachments": 2}]}, True),
        ({"any": [{"channel": "email"}, {"attachments": 3}]}, False),
        ({"all": [{"channel": "web_form"}, {"attachments": 2}]}, True),
        ({"all": [{"channel": "web_form"}, {"attachments": 3}]}, False),
        ({"not": {"channel": "email"}}, True),
        ({"not": {"channel": "web_form", "attachments": 3}}, True),
        ({"channel": "web_form", "not": {"any": [{"labels": "from:crm"}]}}, False),
    ],
)
def test_conditions(match: dict[str, Any], expected: bool) -> None:
    assert holds(match) is expected


def test_decomposed_hangul_is_the_same_text() -> None:
    decomposed = Facts(channel="chat", account="a", text="\u1112\u116a\u11ab\u1107\u116e\u11af")
    assert holds({"text": {"contains": "환불"}}, decomposed)


def test_without_a_language_in_the_facts_the_text_decides() -> None:
    assert holds({"language": "ko"}, Facts(channel="chat", account="a", language="und", text="안녕하세요"))


@pytest.mark.parametrize(
    ("match", "path", "message"),
    [
        ({"txt": "a"}, "txt", 'unknown field `txt` (did you mean "text"?)'),
        ({"customer.tag": "a"}, "customer.tag", 'unknown field `customer.tag` (did you mean "customer.tags"?)'),
        ({"fields.": "a"}, "fields.", 'unknown field `fields.` (did you mean "fields.<name>"?)'),
        ({"anny": []}, "anny", 'unknown field `anny` (did you mean "any"?)'),
        ({"text": {"contain": "a"}}, "text.contain", 'unknown operator `contain` (did you mean "contains"?)'),
        ({"text": {"regex": "a+"}}, "text.regex", "unknown operator `regex`"),
        ({"text": {}}, "text", "expected a value or an operator"),
        ({"text": ["a"]}, "text", "a list needs an operator: write {one_of: [...]}"),
        ({"text": {"contains": []}}, "text.contains", "an empty list never holds"),
        ({"text": {"contains": ""}}, "text.contains", "an empty text is no condition; use {present: false}"),
        ({"text": {"contains": "a" * 201}}, "text.contains", "a text longer than 200 characters"),
        ({"text": {"one_of": ["a"] * 1001}}, "text.one_of", "more than 1,000 values"),
        ({"text": {"words": "!*"}}, "text.words", '"!*" holds no word'),
        ({"fields.order": 12}, "fields.order", "expected text, got `12`; put it in quotes"),
        ({"channel": None}, "channel", "expected text, got `None`; put it in quotes"),
        ({"labels": {"words": "a"}}, "labels.words", "`words` is for texts"),
        ({"attachments": {"contains": "a"}}, "attachments.contains", "`contains` is for texts"),
        ({"attachments": "2"}, "attachments", "expected a whole number, got `2`"),
        ({"attachments": True}, "attachments", "expected a whole number, got `True`"),
        ({"attachments": {"range": [2, 1]}}, "attachments.range", "the range [2, 1] is empty"),
        ({"attachments": {"range": 2}}, "attachments.range", "`range` expects [low, high]; null leaves one side open"),
        ({"attachments": {"range": ["a", 1]}}, "attachments.range", "`range` expects numbers, got `a`"),
        ({"text": {"range": [1, 2]}}, "text.range", "`range` is for numbers and form fields"),
        ({"labels": {"present": "yes"}}, "labels.present", "`present` expects true or false"),
        ({"any": []}, "any", "`any` expects a list of conditions, with at least one"),
        ({"any": {"text": "a"}}, "any", "`any` expects a list of conditions, with at least one"),
        ({"all": [{}]}, "all.0", "an empty condition always holds"),
        ({"any": ["a"]}, "any.0", "expected a mapping of fields to conditions"),
        ({"not": {}}, "not", "an empty `not` never holds"),
    ],
)
def test_wrong_conditions_say_what_is_wrong(match: dict[str, Any], path: str, message: str) -> None:
    assert flaws_in(match) == [(path, message)]


def test_all_flaws_of_a_match_are_told_together() -> None:
    assert len(flaws_in({"txt": "a", "any": [{"chanel": "b"}, {"text": {"contains": ""}}]})) == 3


def test_a_match_with_a_flaw_never_holds() -> None:
    assert not compile_match({"channel": "web_form", "txt": "a"}, (), [])(View(FACTS))


def test_conditions_are_bounded_in_number_and_depth() -> None:
    many = {"any": [{"channel": "a"} for _ in range(MAX_CONDITIONS)]}
    assert [message for _, message in flaws_in(many)] == [f"more than {MAX_CONDITIONS} conditions in one rule"]
    deep: dict[str, Any] = {"channel": "a"}
    for _ in range(200):
        deep = {"not": deep}
    assert [message for _, message in flaws_in(deep)] == ["nested deeper than 32 levels"]
