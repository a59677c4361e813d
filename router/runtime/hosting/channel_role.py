"""The role ``channels`` of a process: all adapters of its accounts, their HTTP port, and the way out."""

import asyncio
import logging
import os
import secrets
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, NamedTuple

from aiohttp import web
from prometheus_client import CollectorRegistry

from router.contract.ids import AccountId
from router.runtime.blobs import Blobs
from router.runtime.bus.lanes import Consumer
from router.runtime.bus.protocol import Bus
from router.runtime.chat_log import ChatLog
from router.runtime.clock import Clock
from router.runtime.errors import TaskDied
from router.runtime.hosting.batches import Batches
from router.runtime.hosting.channel import Channel, Outlet
from router.runtime.hosting.host import AdapterHost, Surroundings
from router.runtime.hosting.http import ChannelPort, HttpLimits
from router.runtime.hosting.intake import ORDINARY, Intake, IntakeLimits
from router.runtime.hosting.masks import Masks
from router.runtime.hosting.metrics import ChannelMetrics
from router.runtime.hosting.outbound import client_session
from router.runtime.hosting.proxies import Proxies
from router.runtime.hosting.reply_account import Reports
from router.runtime.hosting.reply_sender import PATIENT, SendPolicy
from router.runtime.hosting.reply_unassigned import UNASSIGNED, UnassignedReplies
from router.runtime.hosting.suspects import Suspects
from router.runtime.ledger import Ledger
from router.runtime.plugins import Account, Adapter
from router.runtime.server_memory import Room
from router.runtime.settings.model import Settings
from router.runtime.signer import Signer
from router.runtime.simulators import Entrance

LOG = logging.getLogger(__name__)

Installed = Mapping[str, tuple[Adapter[Any], Sequence[Account[Any]]]]


class RoleParts(NamedTuple):
    """What the role works with. It closes none of it."""

    bus: Bus
    ledger: Ledger
    blobs: Blobs
    signer: Signer
    clock: Clock
    registry: CollectorRegistry
    chat_log: ChatLog
    room: Room | None = None
    suspects: Suspects | None = None


class RoleLimits(NamedTuple):
    """How much and how long."""

    intake: IntakeLimits = ORDINARY
    http: HttpLimits = HttpLimits()
    sending: SendPolicy = PATIENT


class ChannelRole:
    """``start``, then ``troubles`` as often as asked, then ``stop_intake`` and ``close``.

    ``channels`` are those of ``plugin_catalog.install``. ``on_failure`` is told when a task of a channel
    ends that should run as long as the service: the process has to stop then. ``beside`` is served on the same port,
    under paths that are no channels'.
    """

    def __init__(
        self,
        parts: RoleParts,
        *,
        settings: Settings,
        channels: Installed,
        on_failure: Callable[[BaseException], object],
        limits: RoleLimits = RoleLimits(),  # noqa: B008  (immutable)
        beside: Mapping[str, Sequence[web.AbstractRouteDef]] | None = None,
    ) -> None:
        self._parts = parts
        self._beside = beside or {}
        self._settings = settings
        self._installed = channels
        self._on_failure = on_failure
        self._limits = limits
        self._metrics = ChannelMetrics(parts.registry, sorted(channels))
        self._suspects = parts.suspects or Suspects(parts.ledger)
        self._batches = Batches(parts.bus)
        self._reports = Batches(parts.bus)
        proxies = Proxies(settings.http.trusted_proxies, header=settings.http.proxy_header)
        self._port = ChannelPort(clock=parts.clock, metrics=self._metrics, limits=limits.http, proxies=proxies)
        self._intake = Intake(
            self._batches,
            masks=Masks(settings.masks),
            clock=parts.clock,
            metrics=self._metrics,
            limits=limits.intake,
            room=parts.room,
        )
        self._surroundings: Surroundings | None = None
        self._channels: dict[str, Channel] = {}
        self._unassigned: UnassignedReplies | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_closing = False

    async def start(self) -> None:
        """Open every channel, then its port. Raises ``PluginFailed`` or ``OSError`` (the port is taken);
        whatever was opened by then is closed again."""
        try:
            await self._port.bind(self._settings.http.host, self._settings.http.channels_port)
            parts = self._parts
            self._surroundings = Surroundings(
                parts.clock, parts.blobs, parts.signer, client_session(), parts.registry, parts.chat_log
            )
            process = f"{os.getpid()}-{secrets.token_hex(6)}"
            for name, (adapter, accounts) in self._installed.items():
                await self._open(name, adapter, accounts, process)
            for path, served in self._beside.items():
                self._metrics.start_http_at_zero(path)
                self._port.mount(path, served)
            await self._port.listen()
        except BaseException:
            await self.close(1.0)
            raise
        for channel in self._channels.values():
            channel.start_sending(self._spawn)
        self._unassigned = self._of_nobody(process)
        self._spawn(f"replies-{UNASSIGNED}", self._unassigned.run())

    def _of_nobody(self, process: str) -> UnassignedReplies:
        self._metrics.start_replies_at_zero(UNASSIGNED)
        return UnassignedReplies(
            self._parts.bus,
            self._parts.ledger,
            accounts=[AccountId(name) for name in self._settings.accounts],
            reports=Reports(self._reports, channel=UNASSIGNED, metrics=self._metrics),
            clock=self._parts.clock,
            process=f"{process}-{UNASSIGNED}",
        )

    async def _open(self, name: str, adapter: Adapter[Any], accounts: Sequence[Account[Any]], process: str) -> None:
        assert self._surroundings is not None
        host = AdapterHost(
            name,
            self._surroundings,
            base_url=f"{self.public_url}/{name}",
            accounts={account.id: account.pool for account in accounts},
            intake=self._intake,
            spawn=self._spawn,
        )
        opened = await adapter.open(accounts, host)
        bus, ledger, clock = self._parts.bus, self._parts.ledger, self._parts.clock
        outlet = Outlet(bus, ledger, clock, process, self._limits.sending, self._suspects)
        self._channels[name] = channel = Channel(
            adapter, opened, outlet=outlet, reports=self._reports, metrics=self._metrics
        )
        channel.add_accounts([account.id for account in accounts])
        self._port.mount(name, opened.routes())
        LOG.info("%s is open for %s accounts", name, len(accounts), extra={"event": "channel.open", "channel": name})

    @property
    def public_url(self) -> str:
        """The port as others see it, without a slash at the end; once started."""
        return (self._settings.http.channels_url or self._port.url).rstrip("/")

    @property
    def url(self) -> str:
        """The port on this machine, once started."""
        return self._port.url

    def entrances(self) -> Mapping[str, Entrance]:
        """Where each channel listens on this machine, once started."""
        return {
            name: Entrance(base_url=f"{self._port.url}/{name}", ports=dict(channel.ports()))
            for name, channel in self._channels.items()
        }

    def troubles(self) -> Sequence[str]:
        """Why a channel can't work just now, one line each; empty when all is well."""
        return [f"{name}: {line}" for name, channel in self._channels.items() for line in channel.troubles()]

    def consumers(self) -> dict[str, Consumer]:
        """What reads replies, by name, once started."""
        found = {name: one for channel in self._channels.values() for name, one in channel.consumers().items()}
        return found if self._unassigned is None else {**found, f"replies {UNASSIGNED}": self._unassigned.consumer}

    def polled_at(self) -> float | None:
        """When the consumer of replies that is furthest behind last polled (``time.monotonic``); None before."""
        polled = [at for channel in self._channels.values() if (at := channel.polled_at()) is not None]
        return min(polled, default=None)

    async def stop_intake(self) -> None:
        """Take nothing new from outside. What is in hand goes on, and so do the replies."""
        await self._port.stop_intake()
        for name, channel in self._channels.items():
            try:
                await channel.stop_intake()
            except Exception:
                LOG.exception("%s did not stop its intake", name, extra={"event": "channel.error", "channel": name})

    async def close(self, within_s: float) -> None:
        """Bring what is in hand to its end, then give back everything. Repeating it does nothing."""
        if self._is_closing:
            return
        self._is_closing = True
        loop = asyncio.get_running_loop()
        ends = loop.time() + within_s
        await self.stop_intake()
        for step in (self._stop_sending, self._close_channels):
            await step(max(0.1, (ends - loop.time()) * 0.6))
        for batches in (self._batches, self._reports):
            await batches.drain(max(0.1, (ends - loop.time()) * 0.5))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._port.close()
        if self._surroundings is not None:
            await self._surroundings.http.close()

    async def _stop_sending(self, within_s: float) -> None:
        stops = [channel.stop_sending(within_s) for channel in self._channels.values()]
        if self._unassigned is not None:
            stops.append(self._unassigned.stop(within_s))
        await asyncio.gather(*stops)

    async def _close_channels(self, within_s: float) -> None:
        for name, channel in self._channels.items():
            try:
                async with asyncio.timeout(within_s + 0.5):
                    await channel.close(within_s)
            except Exception:
                LOG.exception("%s did not close", name, extra={"event": "channel.error", "channel": name})

    def _spawn(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if self._is_closing:
            if error is not None:
                LOG.error("%s failed at its end", task.get_name(), exc_info=error, extra={"event": "channel.error"})
            return
        died = TaskDied(f"the task {task.get_name()!r} ended" + (f": {error!r}" if error else ""))
        died.__cause__ = error
        self._on_failure(died)
