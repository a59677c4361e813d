"""What the server says over the WebSocket: answers to what was asked, and pushes.

A push is a hint: it may be missed, come twice, or come late. Its ``ver`` is the case's version that it tells of
(of ``presence`` the advisor's), absent when that isn't known: what lies below a version shown before is old. (Below one
that was never confirmed as durable it may be what a lost store was rebuilt to; then all that is at hand is told anew.)
What holds is the store, which ``welcome`` and ``read`` show.
"""

import msgspec

from router.api.problems import Problem
from router.api.transcripts import EntryView
from router.api.views import CaseView


class Hello(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="hello"):
    """The first frame of the client."""

    key: str


class _Sent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type"):
    """Base of what is sent."""


class WorkItem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One case of the advisor's work set. ``kind``: ``offer`` (``offer_ver`` and ``deadline`` say which and until
    when), ``case``, ``consult-offer`` (his advice is asked for by ``asked_by``; it is answered like an offer),
    ``consult``, ``wrap-up`` (until ``deadline``), ``parked`` (it takes up none of his capacity, and
    comes back by itself when there is room; not before ``deadline``, where it was parked by hand). ``inquiry`` is the
    customer's last message."""

    case: str
    kind: str
    queue: str
    channel: str
    units: int
    priority: int
    conversation: str
    ver: int
    language: str = ""
    subject: str = ""
    summary: str = ""
    customer: str = ""
    inquiry: str = ""
    inquiries: int = 1
    offer_ver: int = 0
    deadline: str = ""
    asked_by: str = ""


class Welcome(_Sent, frozen=True, kw_only=True, tag="welcome"):
    """The session is open. ``work`` is the whole work set; ``connection`` the number of this connection."""

    advisor: str
    presence: str
    connection: int
    pool: str
    work: tuple[WorkItem, ...]
    name: str = ""
    reason: str = ""
    away_from: tuple[str, ...] = ()


class Offered(_Sent, frozen=True, kw_only=True, tag="offer"):
    """A case is offered to him until ``deadline``, or his advice on it is asked for: ``work.kind`` says which."""

    work: WorkItem
    case: str
    offer_ver: int
    deadline: str
    ver: int = 0


class OfferEnded(_Sent, frozen=True, kw_only=True, tag="offer_ended"):
    """An offer is over without having become his: ``declined``, ``expired``, ``taken``, ``withdrawn``."""

    case: str
    reason: str
    ver: int = 0


class Assigned(_Sent, frozen=True, kw_only=True, tag="assigned"):
    """A case is his now."""

    work: WorkItem
    case: str
    ver: int = 0


class Released(_Sent, frozen=True, kw_only=True, tag="released"):
    """A case is no longer at hand: ``resolved``, ``pending``, ``transferred``, ``reassigned``..."""

    case: str
    reason: str
    ver: int = 0


class WrapUpBegun(_Sent, frozen=True, kw_only=True, tag="wrap_up"):
    """What he has resolved takes up his capacity until then: he wraps it up. Sent again when that moves."""

    case: str
    until: str
    units: int


class WrapUpEnded(_Sent, frozen=True, kw_only=True, tag="wrap_up_ended"):
    """A wrap-up is over: his capacity is free again."""

    case: str


class Message(_Sent, frozen=True, kw_only=True, tag="message"):
    """The customer has written again to a case of his."""

    case: str
    inquiry: str
    inquiries: int
    ver: int = 0
    subject: str = ""
    summary: str = ""


class Delivery(_Sent, frozen=True, kw_only=True, tag="delivery"):
    """A reply of his did not arrive (``failed``), or nobody knows (``unknown``)."""

    case: str
    reply: str
    state: str
    ver: int = 0
    reason: str = ""


class Consulted(_Sent, frozen=True, kw_only=True, tag="consult"):
    """What becomes of the advice he asked for on a case of his: ``joined``, ``declined``, ``expired``, ``left`` or
    ``ended`` by ``advisor``. ``rings`` is who is rung for it now; if nobody is, none who was meant is left."""

    case: str
    advisor: str
    state: str
    ver: int = 0
    reason: str = ""
    rings: str = ""


class PresenceChanged(_Sent, frozen=True, kw_only=True, tag="presence"):
    """His presence has changed: by himself, another connection, or missed offers. While online he is there for all
    channels but those of ``away_from``."""

    presence: str
    ver: int = 0
    reason: str = ""
    away_from: tuple[str, ...] = ()


class Confirmed(_Sent, frozen=True, kw_only=True, tag="confirmed"):
    """What was answered with ``durable: false`` is durable now."""

    op: str
    case: str = ""


class Answer(_Sent, frozen=True, kw_only=True, omit_defaults=False, tag="result"):
    """What was asked for took effect. ``durable``: its event is on the bus. ``transcript`` answers ``read``: the
    last messages, oldest first; ``earlier`` when others stand before them."""

    op: str
    result: str
    durable: bool
    case: CaseView | None = None
    transcript: tuple[EntryView, ...] = ()
    earlier: bool = False


class Trouble(_Sent, frozen=True, kw_only=True, tag="problem"):
    """What was asked for had no effect, or nobody knows: ``problem.status`` 503."""

    problem: Problem
    op: str = ""


Push = (
    Offered
    | OfferEnded
    | Assigned
    | Released
    | WrapUpBegun
    | WrapUpEnded
    | Message
    | Delivery
    | Consulted
    | PresenceChanged
    | Confirmed
)
Sent = Welcome | Answer | Trouble | Push
