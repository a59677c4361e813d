"""What can be wrong with rule files.

    RulesError
    |-- RulebookError   a rulebook can't be used
    `-- RosterError     a roster can't be used

Both carry every problem found, not the first one. Judging raises nothing.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import ClassVar, Final

from msgspec import Struct

Path = tuple[str | int, ...]
"""Keys and indexes from the top of the merged document down to one value."""


_MAX_SHOWN: Final = 100


class Severity(StrEnum):
    """An error makes a file unusable; a warning is for a person to judge."""

    ERROR = "error"
    WARNING = "warning"


class Place(Struct, frozen=True):
    """A spot in a file; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Problem(Struct, frozen=True):
    """One thing wrong, at `path` of the document, in the file at `place` if that is known."""

    message: str
    path: str = ""
    place: Place | None = None
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        place = str(self.place) if self.place else ""
        where = " ".join(part for part in (place, self.path) if part)
        return f"{where}: {self.message}" if where else self.message


class RulesError(Exception):
    """The files can't be used. Mend every problem listed, then load again; nothing was changed."""

    retryable: ClassVar[bool] = False

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        lines = [str(problem) for problem in self.problems[:_MAX_SHOWN]]
        if len(self.problems) > _MAX_SHOWN:
            lines.append(f"... and {len(self.problems) - _MAX_SHOWN} more")
        super().__init__("\n".join(lines))


class RulebookError(RulesError):
    """The rulebook can't be used. Keep the one you have and show the problems."""


class RosterError(RulesError):
    """The roster can't be used. Keep the one you have and show the problems."""
