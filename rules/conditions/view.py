"""The facts as conditions compare them: folded for case, in NFC, cut to a bounded length."""

import re
import unicodedata
from functools import cached_property
from typing import Final, NamedTuple

from rules.conditions.language import language_of
from rules.facts import Facts

MAX_LOOKED_AT: Final = 16_384
"""Characters of one value that conditions look at: what a message wants stands near its beginning, and a
longer text would hold up everybody else's."""

_WORD: Final = re.compile(r"[^\W_]+")


class Words(NamedTuple):
    """The words of a text: between single spaces, with one at each end, and as a set."""

    spaced: str
    each: frozenset[str]


def fold(text: str) -> str:
    """The form in which texts are compared: NFC, no case."""
    cut = text[:MAX_LOOKED_AT]
    if cut.isascii():
        return cut.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", cut).casefold())


def words_of(folded: str) -> Words:
    """The words of an already folded text; apostrophes join: ` i cant log in `."""
    found = _WORD.findall(folded.replace("'", "").replace("’", ""))
    return Words(f" {' '.join(found)} ", frozenset(found))


class View:
    """One inquiry's facts, each folded once and only when a condition asks for it."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts

    @cached_property
    def language(self) -> str | None:
        """The primary language tag the facts name, else what the text looks like; None if neither says."""
        return primary_tag(self.facts.language) or language_of(f"{self.facts.subject}\n{self.facts.text}")

    @cached_property
    def subject(self) -> str:
        """The folded subject."""
        return fold(self.facts.subject)

    @cached_property
    def text(self) -> str:
        """The folded text."""
        return fold(self.facts.text)

    @cached_property
    def message(self) -> str:
        """Subject and text, folded."""
        return f"{self.subject}\n{self.text}"

    @cached_property
    def message_words(self) -> Words:
        """The words of subject and text."""
        return words_of(self.message)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The folded upstream labels."""
        return tuple(map(fold, self.facts.labels))

    @cached_property
    def tags(self) -> tuple[str, ...]:
        """The customer's folded tags."""
        return tuple(map(fold, self.facts.customer.tags))


class Settled(View):
    """The facts once queue, priority and labels are settled: what a promise is chosen by."""

    def __init__(self, facts: Facts, *, queue: str, priority: int, labels: tuple[str, ...]) -> None:
        super().__init__(facts)
        self.queue = fold(queue)
        self.priority = priority
        self._settled = labels

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The folded labels, of upstream and of the rules."""
        return tuple(map(fold, dict.fromkeys((*self.facts.labels, *self._settled))))


def primary_tag(tag: str | None) -> str | None:
    """`en` of `en-US`; None for what isn't a language tag and for `und`."""
    if not tag:
        return None
    primary = tag.replace("_", "-").partition("-")[0].lower()
    if not (2 <= len(primary) <= 3 and primary.isascii() and primary.isalpha()):
        return None
    return None if primary == "und" else primary
