"""Texts to a checked rulebook or roster, or to every problem in them.

A document may be spread over files: sections with names are joined, and so are the rules, in the order
of the files' paths. The same name in two files is a problem, as is any other field given twice.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import structs

from rules.calendar import Calendar
from rules.checking.crosscheck import cross_flaws
from rules.conditions.match import compile_match
from rules.conditions.operators import Test
from rules.errors import Path, Problem, RosterError, RulebookError
from rules.icalendar.closures import Closing, with_closures
from rules.opening_hours import whole
from rules.roster import AdvisorRow, Roster, RosterDocument, roster_flaws
from rules.rulebook import Document, Rulebook, content, content_hash
from rules.shape import Flaw, flaws_of
from rules.tree import Tree, read_tree, show

_MAX_FILES: Final = 200


def load(files: Mapping[str, str]) -> Rulebook:
    """The rulebook in these files ({path: text}); those that end in `.ics` are for calendars that name them. Raises
    RulebookError with all problems."""
    problems: list[Problem] = []
    calendars = {path: text for path, text in files.items() if path.endswith(".ics")}
    tree = _read({path: text for path, text in files.items() if path not in calendars}, problems)
    return _rulebook(tree, problems, calendars)


def restore(data: bytes) -> Rulebook:
    """A rulebook from what `content` gave, with the same hash. Raises RulebookError."""
    try:
        plain = msgspec.json.decode(data, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError) as exc:
        raise RulebookError([Problem(f"not a stored rulebook: {exc}")]) from exc
    return _rulebook(Tree(plain), [], {})


def load_roster(files: Mapping[str, str]) -> Roster:
    """The roster in these files ({path: text}). Raises RosterError with all problems."""
    problems: list[Problem] = []
    tree = _read(files, problems)
    flaws = list(flaws_of(tree.plain, RosterDocument)) if tree.is_whole else []
    if flaws or problems:
        raise RosterError([*problems, *_told(flaws, tree)])
    document = msgspec.convert(tree.plain, RosterDocument)
    flaws.extend(roster_flaws(document))
    if flaws:
        raise RosterError(_told(flaws, tree))
    advisors: tuple[AdvisorRow, ...] = tuple(sorted(document.advisors, key=lambda row: row.id))
    digest = content_hash(msgspec.json.encode(advisors, order="sorted"))
    return Roster(advisors=advisors, hash=digest, places=_places_by_id(document, tree))


def _rulebook(tree: Tree, problems: list[Problem], files: Mapping[str, str]) -> Rulebook:
    flaws = list(flaws_of(tree.plain, Document)) if tree.is_whole else []
    is_shaped = tree.is_whole and not flaws
    tests = _compiled(tree.plain, "rules", flaws) if tree.is_whole else ()
    promises = _compiled(tree.plain, "promises", flaws) if tree.is_whole else ()
    calls = _calls(tree.plain, flaws) if tree.is_whole else {}
    document = msgspec.convert(tree.plain, Document) if is_shaped else None
    closing: dict[Path, Closing] = {}
    if document:
        document = structs.replace(document, calendars=with_closures(document.calendars, files, flaws, closing))
        flaws.extend(cross_flaws(document))
    if flaws or problems or not document:
        raise RulebookError([*problems, *_told(flaws, tree)])
    fields = {name: getattr(document, name) for name in Document.__struct_fields__}
    calendars = {name: Calendar(whole(name, document.calendars)) for name in document.calendars}
    hash_ = content_hash(content(document))
    return Rulebook(
        **fields,
        hash=hash_,
        tests=tests,
        promise_tests=promises,
        calls=calls,
        open_hours=calendars,
        closing=closing,
        places=tree.places,
    )


def _compiled(plain: dict[str, Any], section: str, flaws: list[Flaw]) -> tuple[Test, ...]:
    """Compile whatever conditions there are, so that their flaws show together with all others."""
    rules = plain.get(section)
    tests: list[Test] = []
    for index, rule in enumerate(rules if isinstance(rules, list) else []):
        match = rule.get("match", {}) if isinstance(rule, dict) else {}
        if isinstance(match, dict):
            tests.append(compile_match(match, (section, index, "match"), flaws, settled=section == "promises"))
    return tuple(tests)


def _calls(plain: dict[str, Any], flaws: list[Flaw]) -> dict[str, tuple[Test | None, ...]]:
    """The conditions of the ladders' steps, compiled in the same way; None for a step that waits for no message."""
    ladders = plain.get("ladders")
    found: dict[str, tuple[Test | None, ...]] = {}
    for name, ladder in ladders.items() if isinstance(ladders, dict) else ():
        steps = ladder.get("steps") if isinstance(ladder, dict) else None
        found[name] = tuple(
            _call(step, ("ladders", name, "steps", index, "match"), flaws)
            for index, step in enumerate(steps if isinstance(steps, list) else [])
        )
    return found


def _call(step: object, path: Path, flaws: list[Flaw]) -> Test | None:
    match = step.get("match") if isinstance(step, dict) else None
    return compile_match(match, path, flaws) if isinstance(match, dict) and match else None


def _told(flaws: list[Flaw], tree: Tree) -> list[Problem]:
    """Flaws as problems with their places, in reading order."""
    problems = [Problem(flaw.message, show(flaw.path), tree.place(flaw.path, of_key=flaw.of_key)) for flaw in flaws]
    return sorted(
        problems, key=lambda each: (each.place.file, each.place.line, each.place.column) if each.place else ("", 0, 0)
    )


def _places_by_id(document: RosterDocument, tree: Tree) -> dict[Path, Any]:
    found = {(row.id,): tree.place(("advisors", index)) for index, row in enumerate(document.advisors)}
    return {path: place for path, place in found.items() if place}


def _read(files: Mapping[str, str], problems: list[Problem]) -> Tree:
    """All files as one tree."""
    merged = Tree({}, {}, {})
    if not files or len(files) > _MAX_FILES:
        problems.append(Problem("no files given" if not files else f"more than {_MAX_FILES} files"))
        return Tree({}, is_whole=False)
    is_whole = True
    for file in sorted(files):
        tree = read_tree(file, files[file], problems)
        is_whole = is_whole and tree.is_whole
        _merge(merged, tree, problems)
    return Tree(merged.plain, merged.places, merged.keys, is_whole)


def _merge(into: Tree, tree: Tree, problems: list[Problem]) -> None:
    """Join a file's sections to those before it."""
    if () in tree.places:
        into.places.setdefault((), tree.places[()])
    shifts: dict[str, int] = {}
    for section, value in tree.plain.items():
        held = into.plain.setdefault(section, type(value)() if isinstance(value, list | dict) else value)
        if isinstance(held, list) and isinstance(value, list):
            shifts[section] = len(held)
            held.extend(value)
        elif isinstance(held, dict) and isinstance(value, dict):
            _join(section, held, value, _Sides(into, tree, problems))
        elif (section,) in into.places:
            _twice((section,), into, tree, problems)
    for source, target in ((tree.places, into.places), (tree.keys, into.keys)):
        for path, place in source.items():
            target.setdefault(_shifted(path, shifts), place)


def _join(section: str, held: dict[str, Any], value: dict[str, Any], sides: "_Sides") -> None:
    for name, inner in value.items():
        if name in held:
            _twice((section, name), sides.into, sides.tree, sides.problems)
        else:
            held[name] = inner


class _Sides(msgspec.Struct, frozen=True):
    """The two trees of a merge, and where its problems go."""

    into: Tree
    tree: Tree
    problems: list[Problem]


def _twice(path: Path, into: Tree, tree: Tree, problems: list[Problem]) -> None:
    first = into.place(path, of_key=True)
    message = f"`{path[-1]}` is given twice (first at {first})"
    problems.append(Problem(message, show(path), tree.place(path, of_key=True)))


def _shifted(path: Path, shifts: dict[str, int]) -> Path:
    """A list item's path in the joined list."""
    if len(path) > 1 and isinstance(path[0], str) and isinstance(path[1], int):
        return (path[0], path[1] + shifts.get(path[0], 0), *path[2:])
    return path
