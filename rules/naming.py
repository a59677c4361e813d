"""Names in a rulebook that must stand for something, and at most once."""

from collections.abc import Iterable, Iterator
from typing import Final

from rules.errors import Path
from rules.shape import Flaw, suggestion

RESERVED: Final = frozenset({"queue", "language", "defaults"})
"""Names of reasons that are no rules."""


def reference(name: str | None, known: Iterable[str], what: str, path: Path) -> Iterator[Flaw]:
    """A flaw if there is no such `what`; none for None."""
    if name is not None and name not in known:
        yield Flaw(path, f"there is no {what} `{name}`{suggestion(name, known)}")


def each(names: tuple[str, ...], known: Iterable[str], what: str, path: Path) -> Iterator[Flaw]:
    """The flaws of a list of references."""
    for index, name in enumerate(names):
        yield from reference(name, known, what, (*path, index))


def key_reference(names: Iterable[str], known: Iterable[str], what: str, path: Path) -> Iterator[Flaw]:
    """The flaws of the keys of a mapping that are references."""
    for name in names:
        for flaw in reference(name, known, what, (*path, name)):
            yield Flaw(flaw.path, flaw.message, of_key=True)


def repeated(names: tuple[str, ...], path: Path) -> Iterator[Flaw]:
    """A flaw for each name that stands in the list before."""
    for index, name in enumerate(names):
        if name in names[:index]:
            yield Flaw((*path, index), f"`{name}` is listed twice")
