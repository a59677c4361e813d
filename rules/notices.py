"""Who is told of something, as it is written: a target of the settings, the `queue`'s own, or people by what they are
to the case (`assignee via mail`, `lead via slack-app`, `supervisor via mail`)."""

from enum import StrEnum
from typing import Annotated, Final, NamedTuple

from msgspec import Meta

MAX_TOLD: Final = 10
VIA: Final = " via "

Told = Annotated[
    str,
    Meta(
        pattern=r"^([a-z]+ via )?[a-z0-9][a-z0-9_-]{0,63}$",
        extra={"hint": "is nobody to tell; write a target, `queue`, or `assignee via TARGET`"},
    ),
]
"""One entry of `notify`."""

ToldList = Annotated[tuple[Told, ...], Meta(max_length=MAX_TOLD)]


class Who(StrEnum):
    """Who somebody is to a case. `TARGET` is whoever reads the target, `QUEUE` whoever reads that of the queue."""

    TARGET = "target"
    QUEUE = "queue"
    ASSIGNEE = "assignee"
    LEAD = "lead"
    SUPERVISOR = "supervisor"


PEOPLE: Final = frozenset({Who.ASSIGNEE, Who.LEAD, Who.SUPERVISOR})


class Addressee(NamedTuple):
    """An entry of `notify`, taken apart. ``target`` is empty for the queue's."""

    who: Who
    target: str


def addressee(told: str) -> Addressee:
    """What an entry of `notify` means. Raises ``ValueError`` for a word that stands for nobody."""
    who, via, target = told.rpartition(VIA)
    if via:
        return Addressee(Who(who), target)
    return Addressee(Who.QUEUE, "") if told == Who.QUEUE else Addressee(Who.TARGET, told)


def target_of(told: str) -> str:
    """The target of the settings that an entry names; empty for the queue's."""
    return "" if told == Who.QUEUE else told.rpartition(VIA)[2]
