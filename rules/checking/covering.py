"""Rules that can never match, as far as their conditions alone show it.

Sound and not complete: whatever is found never matches; what is under `any`, `all` and `not` is only compared whole.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from rules.conditions.fields import ListField, field_named
from rules.conditions.view import fold
from rules.rulebook import Rule

_COMBINERS: Final = frozenset({"any", "all", "not"})
_CHOICES: Final = frozenset({"one_of", "contains", "words", "prefix"})
_INFINITE: Final = float("inf")

_Handle = tuple[str, str, object]


class _Earlier:
    """Rules that end the judgement where they match, to be found by what a later one asks."""

    def __init__(self) -> None:
        self._rules: defaultdict[_Handle, list[Rule]] = defaultdict(list)

    def add(self, rule: Rule) -> None:
        """File it under each value of its first condition: what it covers has one of these."""
        field, condition = next(iter(rule.match.items()))
        for handle in _handles(field, condition):
            self._rules[handle].append(rule)

    def covering(self, rule: Rule) -> Rule | None:
        """One that matches whenever this rule does."""
        for field, condition in rule.match.items():
            for handle in _handles(field, condition):
                for earlier in self._rules.get(handle, ()):
                    if all(_follows(rule.match.get(name), asked, name) for name, asked in earlier.match.items()):
                        return earlier
        return None


def covered(rules: Sequence[Rule]) -> Iterator[tuple[int, str]]:
    """The index of each rule that never matches, and why. Rules without conditions are not looked at."""
    earlier = _Earlier()
    for index, rule in enumerate(rules):
        if not rule.match:
            continue
        if field := _torn(rule.match):
            yield index, f"never matches: `{field}` can't be all of that at once"
        elif before := earlier.covering(rule):
            same = "has the same conditions" if _same(before.match, rule.match) else "matches whenever this one does"
            yield index, f"never reached: `{before.name}` {same} and doesn't continue"
        elif not rule.continue_:
            earlier.add(rule)


def _torn(match: dict[str, Any]) -> str | None:
    """A text that would have to be two things at once; None if there is none."""
    parts: list[dict[str, object]] = [match, *(part for part in match.get("all", ()) if isinstance(part, dict))]
    choices: dict[str, set[object]] = {}
    for part in parts:
        for name, condition in part.items():
            if name in _COMBINERS or isinstance(field_named(name), ListField):
                continue
            asked = _operators(condition)
            if "one_of" not in asked:
                continue
            found = _folded(asked["one_of"])
            choices[name] = choices.get(name, found) & found
            if not choices[name]:
                return name
    return None


def _handles(field: str, condition: object) -> Iterator[_Handle]:
    if field in _COMBINERS:
        yield field, "", _text(condition)
        return
    for operator, value in _operators(condition).items():
        if operator in _CHOICES:
            yield from ((field, operator, choice) for choice in _folded(value))
        else:
            yield field, operator, None


def _follows(has: object, asked: object, name: str) -> bool:
    """Whether what holds one condition on a field always holds another."""
    if has is None:
        return False
    if name in _COMBINERS:
        return _text(has) == _text(asked)
    known = _operators(has)
    return all(
        operator in known and _implied(operator, known[operator], value)
        for operator, value in _operators(asked).items()
    )


def _implied(operator: str, has: object, asked: object) -> bool:
    if operator in _CHOICES:
        return _folded(has) <= _folded(asked)
    if operator == "range":
        (low, high), (least, most) = _bounds(has), _bounds(asked)
        return least <= low and high <= most
    return has == asked


def _operators(condition: object) -> dict[str, Any]:
    return condition if isinstance(condition, dict) else {"one_of": condition}


def _folded(value: object) -> set[object]:
    items = value if isinstance(value, list) else [value]
    return {_choice(item) for item in items}


def _choice(item: object) -> object:
    if isinstance(item, str):
        return fold(item)
    # A list or a map is no choice, and refused elsewhere: here it only has to be told from others.
    return _text(item) if isinstance(item, list | dict) else item


def _bounds(value: Any) -> tuple[float, float]:
    low, high = value
    return (-_INFINITE if low is None else low, _INFINITE if high is None else high)


def _same(one: object, other: object) -> bool:
    return _text(one) == _text(other)


def _text(condition: object) -> bytes:
    return msgspec.json.encode(condition, order="sorted")
