"""What a simulator is: the stand-in of a channel's provider, for tests and for the demo.

It plays both ends that Turnout doesn't own: the customers, who write through the channel's real port, and
the provider's own service, which takes the replies as strictly as the real one.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Protocol

import msgspec


class Entrance(msgspec.Struct, frozen=True, kw_only=True):
    """Where a running channel listens: its part of the shared HTTP port, and ports of its own by protocol."""

    base_url: str
    ports: dict[str, int] = {}
    host: str = "127.0.0.1"


class CustomerFile(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    media_type: str
    data: bytes


class CustomerMessage(msgspec.Struct, frozen=True, kw_only=True):
    """What a customer writes. ``thread`` is the teller's own name of the conversation; the simulator keeps
    the provider's threading behind it. ``ref`` names the message: the same ref again is the provider's
    redelivery of the same message."""

    ref: str
    customer: str
    thread: str
    text: str
    subject: str = ""
    files: tuple[CustomerFile, ...] = ()


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What the channel's port said: ``accepted`` is its yes (250, 2xx, an acknowledged frame).
    ``code`` is the protocol's own (``250``, ``503``), ``body`` what came with it."""

    accepted: bool
    code: str
    body: str = ""


class ReceivedReply(msgspec.Struct, frozen=True, kw_only=True):
    """A reply as the customer sees it. ``thread`` is the thread it appeared in, None if in none; ``key`` is
    what the provider would deduplicate by, if it does."""

    customer: str
    thread: str | None
    text: str
    provider_message_id: str
    key: str | None = None
    subject: str = ""
    files: tuple[CustomerFile, ...] = ()


class Defect(StrEnum):
    """What is wrong with a message that the simulator is told to send."""

    BAD_SIGNATURE = "bad-signature"
    MALFORMED = "malformed"
    OVERSIZE = "oversize"
    NOT_TEXT = "not-text"


class Misbehaviour(StrEnum):
    """What the provider does with the next reply.

    ``REFUSE``: says no for good. ``BUSY``: says try later, and has taken nothing. ``CUT_BEFORE``: drops the
    connection, has taken nothing. ``CUT_AFTER``: takes the reply and drops the connection before it answers.
    ``HANG``: takes the reply and never answers.
    """

    REFUSE = "refuse"
    BUSY = "busy"
    CUT_BEFORE = "cut-before"
    CUT_AFTER = "cut-after"
    HANG = "hang"


class Simulator(Protocol):
    """The stand-in for the provider of one channel type, for one account. Loopback only.

    The order: ``start``, then the service with the options it returned, then ``enter``, then messages.
    """

    @property
    def name(self) -> str:
        """The channel's name."""

    async def start(self, account: str) -> Mapping[str, Any]:
        """Open the provider's side on free ports; return options that make an account use it."""

    async def enter(self, entrance: Entrance) -> None:
        """Learn where the channel listens. Called again after a restart of the service; customers' open
        connections are re-made then."""

    async def send(self, message: CustomerMessage) -> Answer:
        """Write as a customer through the channel's real port. Raises ``ConnectionError`` if nobody is
        there. The first message of a thread opens it, later ones answer in it as a real client would."""

    async def send_defective(self, defect: Defect) -> Answer | None:
        """Send something wrong to the channel's port; None if this channel can't have the defect."""

    async def next_reply(self) -> ReceivedReply:
        """The next reply that reached a customer, in order of arrival; waits for one. A reply that the
        provider shows twice comes twice; one that it deduplicates comes once."""

    def refusals(self) -> Sequence[str]:
        """Why the provider refused what the channel sent it, one line each: wrong payloads, signatures,
        unknown recipients. Empty in a sound run."""

    def misbehave(self, ways: Sequence[Misbehaviour]) -> None:
        """What to do with the next replies, one each; afterwards well-behaved again."""

    async def close(self) -> None:
        """Give back all ports and connections. Repeating it does nothing."""
