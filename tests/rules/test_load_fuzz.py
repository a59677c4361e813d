"""Whatever the text, loading gives a rulebook or a RulesError, and a rulebook judges."""

from collections.abc import Callable
from importlib.resources import files
from typing import Any, TypeVar

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from rules import Facts, RulesError, judge, load, load_roster, restore
from rules.conditions.match import compile_match
from rules.conditions.view import View
from rules.shape import Flaw

Loaded = TypeVar("Loaded")

_DEFAULTS = files("rules") / "defaults"
_BOOK = (_DEFAULTS / "rulebook.yaml").read_text("utf-8") + (_DEFAULTS / "rules.yaml").read_text("utf-8")
_ROSTER = (_DEFAULTS / "roster.yaml").read_text("utf-8")
_FACTS = Facts(channel="chat", account="a", text="환불 refund", fields={"topic": "12"}, attachments=1)

_SCRAPS = st.sampled_from(
    ["", " ", "\n", "\n  ", "- ", ": ", "{", "}", "[", "]", '"', "'", "#", "&a ", "*a", "!", "|", ">", "?", "~", "no",
     "12:30", "1e9", "-1", "null", "true", "\t", "---\n", "...\n", "%", "@", "`", "환", "\x00", "\ud800", "<<: "]
)  # fmt: skip
_EDITS = st.lists(st.tuples(st.integers(0, 20_000), st.integers(0, 12), _SCRAPS), min_size=1, max_size=4)

_SCALARS = st.none() | st.booleans() | st.integers(-5, 200) | st.floats(allow_nan=False) | st.sampled_from(
    ["a", "", "text", "general", "breach", "환불"]
)  # fmt: skip
_KEYS = st.sampled_from(
    ["text", "message", "labels", "attachments", "fields.topic", "customer.tags", "any", "all", "not", "one_of",
     "contains", "words", "prefix", "range", "present", "name", "match", "set", "continue", "queue", "skills", "steps",
     "at", "policy", "level"]
)  # fmt: skip
_PLAIN: st.SearchStrategy[Any] = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3), max_leaves=12
)


def edited(text: str, edits: list[tuple[int, int, str]]) -> str:
    for start, length, scrap in edits:
        at = start % len(text)
        text = text[:at] + scrap + text[at + length :]
    return text


def attempted(load_it: Callable[[], Loaded]) -> Loaded | RulesError:
    """What was loaded, or the refusal; any other exception is the bug looked for."""
    try:
        return load_it()
    except RulesError as exc:
        return exc


def test_a_choice_that_is_a_map_is_refused() -> None:
    rule = "  - {name: odd, match: {channel: {one_of: [{a: 1}]}}, set: {queue: general}}"
    outcome = attempted(lambda: load({"a.yaml": _BOOK.replace("rules:\n", f"rules:\n{rule}\n", 1)}))
    assert isinstance(outcome, RulesError)
    assert "match.channel" in str(outcome)


@settings(max_examples=60, deadline=None)
@given(_EDITS)
def test_a_damaged_rulebook_loads_or_is_refused_with_places(edits: list[tuple[int, int, str]]) -> None:
    outcome = attempted(lambda: load({"a.yaml": edited(_BOOK, edits)}))
    if isinstance(outcome, RulesError):
        assert outcome.problems
        assert all(problem.place for problem in outcome.problems)
    else:
        assert judge(outcome, _FACTS).rulebook == outcome.hash


@settings(max_examples=60, deadline=None)
@given(_EDITS)
def test_a_damaged_roster_loads_or_is_refused(edits: list[tuple[int, int, str]]) -> None:
    outcome = attempted(lambda: load_roster({"a.yaml": edited(_ROSTER, edits)}))
    if isinstance(outcome, RulesError):
        assert outcome.problems
    else:
        assert [row.id for row in outcome.advisors] == sorted(row.id for row in outcome.advisors)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(["rules", "queues", "ladders", "defaults", "skills", "tiers"]), _PLAIN))
def test_any_stored_value_is_a_rulebook_or_refused(sections: dict[str, Any]) -> None:
    stored = {
        "defaults": {"queue": "general"},
        "policies": {"p": {"first_response_s": 1, "resolution_s": 1}},
        "queues": {"general": {"policy": "p"}},
        "outcomes": {"solved": "Done"},
        **sections,
    }
    outcome = attempted(lambda: restore(msgspec.json.encode(stored)))
    if isinstance(outcome, RulesError):
        assert outcome.problems
    else:
        assert judge(outcome, _FACTS).queue in outcome.queues


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(_KEYS, _PLAIN, max_size=3))
def test_any_condition_compiles_or_has_flaws(match: dict[str, Any]) -> None:
    flaws: list[Flaw] = []
    test = compile_match(match, (), flaws)
    assert isinstance(test(View(_FACTS)), bool)
