"""What was seen at the demo's edges: by the customers at the channels' ports, by the advisors in their sessions.

Every edge writes its own history as things happen; ``account`` draws them together. ``at`` is in seconds on a
clock that all edges of the run share.
"""

from typing import Any, TypeVar

import msgspec


class Seen(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Base of all entries."""

    at: float


# -- customers


class Wrote(Seen, frozen=True, kw_only=True):
    """A customer wrote a message, named by its token. ``skills`` and ``language`` are what the template says an
    advisor needs for it."""

    token: str
    channel: str
    customer: str
    thread: str
    language: str
    skills: dict[str, int]
    queue: str


class Accepted(Seen, frozen=True, kw_only=True):
    """The channel's port said yes. ``sent_at`` is when the message that it said yes to was handed in."""

    token: str
    sent_at: float


class Refused(Seen, frozen=True, kw_only=True):
    """The channel's port said no in the end."""

    token: str
    code: str


class Received(Seen, frozen=True, kw_only=True):
    """A customer got something from the service. ``mark`` names the advisor's reply that it is; empty for an
    automatic message. ``thread`` is where it appeared, None if nowhere."""

    channel: str
    customer: str
    thread: str | None
    mark: str


CustomerEntry = Wrote | Accepted | Refused | Received


# -- advisors


class Offered(Seen, frozen=True, kw_only=True):
    """A case arrived: offered, or put into his hands at once. It takes capacity from here."""

    advisor: str
    case: str
    channel: str
    tokens: tuple[str, ...]
    is_assigned: bool = False


class Taken(Seen, frozen=True, kw_only=True):
    """An offer that he accepted became his."""

    advisor: str
    case: str


class Looked(Seen, frozen=True, kw_only=True):
    """He read the messages of a case: (the service's id of the message, its token) each."""

    advisor: str
    case: str
    messages: tuple[tuple[str, str], ...]


class Replied(Seen, frozen=True, kw_only=True):
    """He answered these messages, and was told that it is done. ``at`` is when he sent it."""

    advisor: str
    case: str
    mark: str
    tokens: tuple[str, ...]


class Ended(Seen, frozen=True, kw_only=True):
    """A case takes no capacity of his any more. ``by``: what he sent (``decline``, ``resolve``, ``pend``,
    ``transfer``; ``at`` is when he sent it), or what he was told (``expired``, ``withdrawn``, ``reassigned``)."""

    advisor: str
    case: str
    by: str


AdvisorEntry = Offered | Taken | Looked | Replied | Ended

# -- the desk of a supervisor, at the very end


class FoundWaiting(Seen, frozen=True, kw_only=True):
    """A message was read in a case that waits in a queue, which no advisor has been offered yet."""

    case: str
    token: str


Entry = CustomerEntry | AdvisorEntry | FoundWaiting
E = TypeVar("E")


def of_type(entries: tuple[Any, ...], kind: type[E]) -> list[E]:
    """The entries of one kind, in their order."""
    return [entry for entry in entries if isinstance(entry, kind)]
