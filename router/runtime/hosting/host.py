"""What one adapter gets from the process that runs it: the ``ChannelHost`` of ``plugins``."""

from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple

from aiohttp import ClientSession
from prometheus_client import CollectorRegistry

from router.contract.ids import AccountId, PoolId
from router.contract.messages import Delivery, Inquiry
from router.runtime.blobs import Blobs
from router.runtime.chat_log import ChatLog
from router.runtime.clock import Clock
from router.runtime.errors import RecordRefused
from router.runtime.hosting.intake import Intake
from router.runtime.signer import Signer

Spawn = Callable[[str, Coroutine[Any, Any, None]], None]


class Surroundings(NamedTuple):
    """What all plug-ins of a process share."""

    clock: Clock
    blobs: Blobs
    signer: Signer
    http: ClientSession
    registry: CollectorRegistry
    chat_log: ChatLog


class AdapterHost:
    """The host of one channel. ``accounts`` are those it may speak for, with their pools."""

    def __init__(
        self,
        channel: str,
        surroundings: Surroundings,
        *,
        base_url: str,
        accounts: dict[AccountId, PoolId],
        intake: Intake,
        spawn: Spawn,
    ) -> None:
        self._channel = channel
        self._surroundings = surroundings
        self._base_url = base_url
        self._accounts = accounts
        self._intake = intake
        self._spawn = spawn

    @property
    def clock(self) -> Clock:
        return self._surroundings.clock

    @property
    def blobs(self) -> Blobs:
        return self._surroundings.blobs

    @property
    def signer(self) -> Signer:
        return self._surroundings.signer

    @property
    def http(self) -> ClientSession:
        return self._surroundings.http

    @property
    def registry(self) -> CollectorRegistry:
        return self._surroundings.registry

    @property
    def chat_log(self) -> ChatLog:
        return self._surroundings.chat_log

    @property
    def base_url(self) -> str:
        return self._base_url

    def spawn(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        self._spawn(f"{self._channel}-{name}", work)

    async def accept(self, inquiry: Inquiry) -> None:
        # A foreign pool would be a conversation that two routers work on.
        if inquiry.channel != self._channel or self._accounts.get(inquiry.account) != inquiry.pool:
            raise RecordRefused(0, f"{self._channel} has no account {inquiry.account} in pool {inquiry.pool}")
        await self._intake.accept(inquiry)

    async def report(self, delivery: Delivery) -> None:
        if delivery.account not in self._accounts:
            raise RecordRefused(0, f"{self._channel} has no account {delivery.account}")
        await self._intake.report(delivery)
