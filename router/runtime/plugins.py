"""What a channel adapter is, to the process that runs it, and what the process gives every plug-in.

An adapter turns one provider's messages into inquiries and sends replies back through the same provider.
It decides nothing, keeps no state of its own beyond its connections, and knows neither router nor bus: the
host gives it all it needs. ``plugin_catalog`` finds the installed ones.
"""

from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

import msgspec
from aiohttp import ClientSession
from aiohttp.web import AbstractRouteDef
from prometheus_client import CollectorRegistry

from router.contract.ids import AccountId, PoolId
from router.contract.messages import Delivery, DeliveryState, Inquiry, Reply
from router.runtime.blobs import Blobs
from router.runtime.chat_log import ChatLog
from router.runtime.clock import Clock
from router.runtime.signer import Signer

Options = TypeVar("Options", bound=msgspec.Struct)


class Account(msgspec.Struct, Generic[Options], frozen=True, kw_only=True):
    """One account of a channel (a mailbox, a page, a bot), its options checked against the adapter's type."""

    id: AccountId
    pool: PoolId
    options: Options


class SendResult(msgspec.Struct, frozen=True, kw_only=True):
    """What the provider said about a message. Final: the host records and publishes it.

    Trouble that may pass is no result: raise ``SendLater`` instead.
    """

    state: DeliveryState
    provider_message_id: str | None = None
    reason: str = ""


def sent(provider_message_id: str | None = None) -> SendResult:
    """The provider has taken the message."""
    return SendResult(state=DeliveryState.SENT, provider_message_id=provider_message_id)


def failed(reason: str) -> SendResult:
    """The provider will never take it. ``reason`` is shown to the advisor: no text, addresses or tokens."""
    return SendResult(state=DeliveryState.FAILED, reason=reason)


def unknown(reason: str) -> SendResult:
    """It may have arrived (the connection broke after the request was out, and the provider can't tell)."""
    return SendResult(state=DeliveryState.UNKNOWN, reason=reason)


class Host(Protocol):
    """What the process gives every plug-in, valid from ``open`` until ``close`` has returned."""

    @property
    def clock(self) -> Clock: ...

    @property
    def blobs(self) -> Blobs:
        """Attachments: stored before the inquiry that names them is accepted."""

    @property
    def signer(self) -> Signer:
        """Makes and checks tokens that come back from outside: mail threads, links, chat sessions."""

    @property
    def http(self) -> ClientSession:
        """For all requests to providers: bounded connections, time-outs set, no redirects to elsewhere."""

    @property
    def registry(self) -> CollectorRegistry:
        """Where a plug-in may register metrics of its own, named ``turnout_<plug-in>_...``."""

    def spawn(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Run a task that the process watches: if it ends before ``close`` or raises, the service stops
        with its error. Cancelled after ``close``."""


class ChannelHost(Host, Protocol):
    """What the process gives an adapter."""

    @property
    def base_url(self) -> str:
        """The channel's place on the shared HTTP port as customers see it, without a slash at the end."""

    @property
    def chat_log(self) -> ChatLog:
        """What was said to customers who read it live, over all replicas; for channels that have no provider
        who keeps it."""

    async def accept(self, inquiry: Inquiry) -> None:
        """Return once the inquiry is on the bus; only then may the adapter say yes to the outside.

        Accepting the same id again is harmless. Raises ``IntakeFull`` or ``BusUnavailable`` (both
        retryable: refuse for now with what the protocol has for it, 429, 503, SMTP 451, stop polling),
        or ``RecordRefused`` (never: refuse for good).
        """

    async def report(self, delivery: Delivery) -> None:
        """Publish what a provider says later of a reply that was sent (a bounce). Raises as ``accept``."""


class OpenChannel(Protocol):
    """A channel at work for its accounts."""

    def routes(self) -> Sequence[AbstractRouteDef]:
        """HTTP and WebSocket routes, relative to ``base_url``; none if the channel has no use for HTTP.

        Asked once, after ``open``. Handlers bound their input themselves and never raise for bad input.
        """

    def ports(self) -> Mapping[str, int]:
        """Ports that the channel itself listens on, by protocol name (``smtp``)."""

    def troubles(self) -> Sequence[str]:
        """Why the channel can't work just now, one line each (for /readyz); empty when all is well."""

    async def send(self, reply: Reply) -> SendResult:
        """Hand one reply to the provider, as ``reply.to.account``.

        Called only after the ledger has it as ``sending``, one at a time per conversation. The same id
        may come again if ``Adapter.deduplicates``: the same provider key must be used then. Raises
        ``SendLater`` if nothing was sent or the provider deduplicates.
        """

    async def stop_intake(self) -> None:
        """Take nothing new from outside: close listeners, stop polling. What is in hand goes on."""

    async def close(self, within_s: float) -> None:
        """Finish or drop what is in hand and give back everything. Repeating it does nothing."""


class Adapter(Protocol[Options]):
    """A type of channel. Made by its entry point's factory, without arguments and without any I/O."""

    @property
    def name(self) -> str:
        """The entry point's name, and the channel's name in settings, paths, metrics and inquiries."""

    @property
    def deduplicates(self) -> bool:
        """Whether a reply sent twice with one id reaches the customer once (idempotency key, equal
        Message-ID). If not, a reply found half-sent after a crash ends as ``unknown``, not sent again."""

    def options_type(self) -> type[Options]:
        """The struct (frozen, unknown fields forbidden) that an account's options must fit."""

    async def open(self, accounts: Sequence[Account[Options]], host: ChannelHost) -> OpenChannel:
        """Start working for these accounts; an HTTP port is not up yet. Raises ``PluginFailed`` with what
        to mend (a port in use); whatever was opened by then has been closed."""
