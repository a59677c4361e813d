"""The fields that conditions may name, and how to read each from the facts."""

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from rules.conditions.view import Settled, View, Words, fold, words_of

FORM_PREFIX: Final = "fields."


class TextField(Struct, frozen=True):
    """A single text; a missing one reads as empty. `is_form` texts may be numbers."""

    read: Callable[[View], str]
    read_words: Callable[[View], Words]
    is_form: bool = False


class ListField(Struct, frozen=True):
    """A list of texts, where order means nothing."""

    read: Callable[[View], tuple[str, ...]]


class NumberField(Struct, frozen=True):
    """A whole number."""

    read: Callable[[View], int]


Field = TextField | ListField | NumberField


def field_named(name: str, *, settled: bool = False) -> Field | None:
    """The field of that name; `fields.<anything>` is one. None for an unknown name. ``settled``: also those that are
    known once the rules have been tried."""
    if settled and name in _SETTLED:
        return _SETTLED[name]
    if name.startswith(FORM_PREFIX) and len(name) > len(FORM_PREFIX):
        return _form_field(name.removeprefix(FORM_PREFIX))
    return _FIELDS.get(name)


def field_names(*, settled: bool = False) -> tuple[str, ...]:
    """All names, for suggestions."""
    return (*_FIELDS, *(_SETTLED if settled else ()), f"{FORM_PREFIX}<name>")


def _text(read: Callable[[View], str]) -> TextField:
    return TextField(read, lambda view: words_of(read(view)))


def _form_field(key: str) -> TextField:
    def read(view: View) -> str:
        return fold(view.facts.fields.get(key, ""))

    return TextField(read, lambda view: words_of(read(view)), is_form=True)


_FIELDS: Final[dict[str, Field]] = {
    "channel": _text(lambda view: fold(view.facts.channel)),
    "account": _text(lambda view: fold(view.facts.account)),
    "subject": _text(lambda view: view.subject),
    "text": _text(lambda view: view.text),
    "message": TextField(lambda view: view.message, lambda view: view.message_words),
    "language": _text(lambda view: view.language or ""),
    "customer.id": _text(lambda view: fold(view.facts.customer.id or "")),
    "customer.segment": _text(lambda view: fold(view.facts.customer.segment or "")),
    "customer.tags": ListField(lambda view: view.tags),
    "labels": ListField(lambda view: view.labels),
    "attachments": NumberField(lambda view: view.facts.attachments),
    "reopened": NumberField(lambda view: view.facts.reopened),
}


def _priority(view: View) -> int:
    return view.priority if isinstance(view, Settled) else 0


def _queue(view: View) -> str:
    return view.queue if isinstance(view, Settled) else ""


_SETTLED: Final[dict[str, Field]] = {"priority": NumberField(_priority), "queue": _text(_queue)}
