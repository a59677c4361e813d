"""`match:` conditions, compiled once to closures.

    match:                                  # every entry must hold
      channel: {one_of: [chat, email]}
      message: {contains: [refund, 환불]}
      any:
        - customer.tags: vip
        - not: {attachments: {range: [0, 0]}}

A value alone means equality; for a list (labels, customer.tags) it means that the list has it. The
operators:

    one_of    equal to one of these; for a list, any of its items is
    contains  text: one of these is somewhere in it; a list: it has one of these
    words     text: one of these stands in it as a whole word or words; a `*` at the end allows any
              ending; in scripts without word spaces or with endings (Korean, Japanese, ...) as contains
    prefix    text, or an item of a list, begins with one of these
    range     a number in [low, high], both included, either may be null; form fields count if numeric
    present   true: not empty; false: empty or missing

Texts are compared in NFC and without case. There are no regular expressions, so every condition takes
time linear in the text, which is looked at up to a bounded length.
"""

from collections.abc import Callable
from typing import Any, Final

from rules.conditions.fields import Field, field_named, field_names
from rules.conditions.operators import OPERATORS, Test, Unfit, equality
from rules.conditions.view import View
from rules.errors import Path
from rules.shape import Flaw, suggestion
from rules.tree import MAX_DEPTH

_COMBINERS: Final = ("any", "all", "not")

MAX_CONDITIONS: Final = 500


def compile_match(raw: object, path: Path, flaws: list[Flaw], *, settled: bool = False) -> Test:
    """A test for one `match:`; an empty one always holds. ``settled``: for a `Settled` view, which knows more fields.

    What is wrong is added to `flaws`, and the returned test is then good for nothing.
    """
    before = len(flaws)
    test = _Compiler(flaws, settled=settled).group(raw, path)
    return test if len(flaws) == before else _never


class _Compiler:
    """Compiles one rule's conditions and counts them."""

    def __init__(self, flaws: list[Flaw], *, settled: bool) -> None:
        self._flaws = flaws
        self._settled = settled
        self._count = 0

    def group(self, raw: object, path: Path) -> Test:
        if not isinstance(raw, dict):
            return self._flaw(path, "expected a mapping of fields to conditions")
        if len(path) > MAX_DEPTH:
            return self._flaw(path, f"nested deeper than {MAX_DEPTH} levels")
        tests = [self._entry(key, value, (*path, key)) for key, value in raw.items()]
        return _all(tests)

    def _entry(self, key: str, value: object, path: Path) -> Test:
        self._count += 1
        if self._count == MAX_CONDITIONS + 1:
            return self._flaw(path, f"more than {MAX_CONDITIONS} conditions in one rule")
        match key:
            case "any" | "all":
                return self._combined(key, value, path)
            case "not":
                inner = self.group(value, path)
                if value == {}:
                    return self._flaw(path, "an empty `not` never holds")
                return lambda view: not inner(view)
            case _:
                return self._field(key, value, path)

    def _combined(self, key: str, value: object, path: Path) -> Test:
        if not isinstance(value, list) or not value:
            return self._flaw(path, f"`{key}` expects a list of conditions, with at least one")
        tests = [self._member(item, (*path, index)) for index, item in enumerate(value)]
        return _any(tests) if key == "any" else _all(tests)

    def _member(self, item: object, path: Path) -> Test:
        if item == {}:
            return self._flaw(path, "an empty condition always holds")
        return self.group(item, path)

    def _field(self, name: str, value: object, path: Path) -> Test:
        field = field_named(name, settled=self._settled)
        if field is None:
            near = suggestion(name, (*field_names(settled=self._settled), *_COMBINERS))
            self._flaws.append(Flaw(path, f"unknown field `{name}`{near}", of_key=True))
            return _never
        if not isinstance(value, dict):
            return self._built(equality, field, value, path)
        if not value:
            return self._flaw(path, "expected a value or an operator")
        return _all([self._operator(field, name, value[name], (*path, name)) for name in value])

    def _operator(self, field: Field, name: str, value: object, path: Path) -> Test:
        build = OPERATORS.get(name)
        if build is None:
            message = f"unknown operator `{name}`{suggestion(name, OPERATORS)}"
            self._flaws.append(Flaw(path, message, of_key=True))
            return _never
        return self._built(build, field, value, path)

    def _built(self, build: Callable[[Field, Any], Test], field: Field, value: object, path: Path) -> Test:
        try:
            return build(field, value)
        except Unfit as exc:
            return self._flaw(path, str(exc))

    def _flaw(self, path: Path, message: str) -> Test:
        self._flaws.append(Flaw(path, message))
        return _never


def _never(_: View) -> bool:
    return False


def _all(tests: list[Test]) -> Test:
    if len(tests) == 1:
        return tests[0]
    return lambda view: all(test(view) for test in tests)


def _any(tests: list[Test]) -> Test:
    if len(tests) == 1:
        return tests[0]
    return lambda view: any(test(view) for test in tests)
