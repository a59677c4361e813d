"""The part of the role ``channels`` that tells staff: reads the notices and runs the notifiers."""

import asyncio
import logging
import os
import secrets
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any, Final

from aiohttp import ClientSession
from prometheus_client import CollectorRegistry

from router.contract.codec import Decoder, Headers
from router.contract.ids import CaseId
from router.contract.messages import Notice
from router.contract.topics import DEAD_LETTERS, NOTICES
from router.runtime.blobs import Blobs
from router.runtime.bus.lanes import Consumer, Limits
from router.runtime.bus.protocol import Outgoing, Partition, Record
from router.runtime.clock import Clock
from router.runtime.errors import BusUnavailable, RecordRefused, TaskDied
from router.runtime.hosting.channel_role import RoleParts
from router.runtime.hosting.notice_metrics import NoticeMetrics, NoticeOutcome
from router.runtime.hosting.notice_sender import PROMPT, NoticeFailed, NoticeSender
from router.runtime.hosting.outbound import client_session
from router.runtime.hosting.reply_sender import SendPolicy
from router.runtime.hosting.suspects import Suspects
from router.runtime.plugins import Notifier, OpenNotifier, Target
from router.runtime.signer import Signer

LOG = logging.getLogger(__name__)

GROUP: Final = "notices"

Installed = Mapping[str, tuple[Notifier[Any], Sequence[Target[Any]]]]
Spawn = Callable[[str, Coroutine[Any, Any, None]], object]

_DECODER: Final = Decoder(Notice)
_RETRY_S: Final = 0.5
_POLL_AGE_S: Final = 10.0
# A lane only starts a notice, so few are enough. One that its target puts off holds a place in flight, and a
# target that is down must leave places for the others: a notice is small.
_LIMITS: Final = Limits(lanes=4, max_in_flight=4096, resume_at=2048)


class NotifierHost:
    """What one notifier gets from the process that runs it: the ``Host`` of ``plugins``."""

    def __init__(self, notifier: str, parts: RoleParts, *, http: ClientSession, spawn: Spawn) -> None:
        self._notifier = notifier
        self._parts = parts
        self._http = http
        self._spawn = spawn

    @property
    def clock(self) -> Clock:
        return self._parts.clock

    @property
    def blobs(self) -> Blobs:
        return self._parts.blobs

    @property
    def signer(self) -> Signer:
        return self._parts.signer

    @property
    def http(self) -> ClientSession:
        return self._http

    @property
    def registry(self) -> CollectorRegistry:
        return self._parts.registry

    def spawn(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        self._spawn(f"notifier-{self._notifier}-{name}", work)


class NoticeRole:
    """``start``, then ``troubles`` as often as asked, then ``close``.

    ``notifiers`` are those of ``plugin_catalog.install``; without any the notices are read all the same, and
    counted as ``no_target``. A notice is committed once it has an outcome; one that failed lies in the dead
    letters by then. The notices of a case go to a target one after the other; a target that is down holds up
    no other. ``on_failure`` is told when a task ends that should run as long as the service.
    """

    def __init__(
        self,
        parts: RoleParts,
        *,
        notifiers: Installed,
        on_failure: Callable[[BaseException], object],
        policy: SendPolicy = PROMPT,
    ) -> None:
        self._parts = parts
        self._installed = notifiers
        self._on_failure = on_failure
        self._metrics = NoticeMetrics(parts.registry)
        self._routes: dict[str, OpenNotifier] = {}
        self._sender = NoticeSender(
            self._routes,
            parts.ledger,
            process=f"{os.getpid()}-{secrets.token_hex(6)}",
            suspects=parts.suspects or Suspects(parts.ledger),
            clock=parts.clock,
            metrics=self._metrics,
            policy=policy,
        )
        self._consumer = Consumer(parts.bus, GROUP, (NOTICES,), handle=self._handle, hooks=self, limits=_LIMITS)
        self._last: dict[tuple[CaseId, str], asyncio.Task[None]] = {}
        self._http: ClientSession | None = None
        self._opened: dict[str, OpenNotifier] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._reading: asyncio.Task[None] | None = None
        self._is_closing = False

    async def start(self) -> None:
        """Open every notifier, then read. Raises ``PluginFailed``; whatever was opened by then is closed."""
        try:
            self._http = client_session()
            for name, (notifier, targets) in self._installed.items():
                opened = await notifier.open(
                    targets, NotifierHost(name, self._parts, http=self._http, spawn=self._spawn)
                )
                self._opened[name] = opened
                self._routes.update({target.id: opened for target in targets})
                extra = {"event": "notifier.open", "notifier": name}
                LOG.info("%s is open for %s targets", name, len(targets), extra=extra)
        except BaseException:
            await self.close(1.0)
            raise
        self._reading = self._spawn("notices", self._consumer.run())

    def troubles(self) -> Sequence[str]:
        """Why notices can't be sent just now; empty when all is well. A target that is down is none: that
        is the target's, and no other process would do better."""
        polled_at = self.polled_at()
        if polled_at is None:
            return ["notices: has not joined its group yet"]
        age_s = time.monotonic() - polled_at
        return [f"notices: has not polled for {age_s:.0f} s"] if age_s > _POLL_AGE_S else []

    def consumers(self) -> dict[str, Consumer]:
        """What reads notices, by name."""
        return {"notices": self._consumer}

    def polled_at(self) -> float | None:
        """When the notices were last polled (``time.monotonic``); None before."""
        return self._consumer.polled_at

    async def close(self, within_s: float) -> None:
        """Let the tries that are out end, then give back everything. Repeating it does nothing."""
        if self._is_closing:
            return
        self._is_closing = True
        self._sender.stop()
        self._consumer.stop(deadline_s=within_s * 0.6)
        if self._reading is not None:
            await asyncio.wait((self._reading,), timeout=within_s * 0.6 + 0.2)
        for task in (*self._tasks, *self._last.values()):
            task.cancel()
        await asyncio.gather(*self._tasks, *self._last.values(), return_exceptions=True)
        await asyncio.gather(*(self._close_one(name, one, within_s * 0.3) for name, one in self._opened.items()))
        if self._http is not None:
            await self._http.close()

    async def _close_one(self, name: str, notifier: OpenNotifier, within_s: float) -> None:
        try:
            async with asyncio.timeout(within_s + 0.2):
                await notifier.close(within_s)
        except Exception:
            LOG.exception("%s did not close", name, extra={"event": "notifier.error", "notifier": name})

    # One notice.

    async def _handle(self, record: Record) -> Awaitable[None] | None:
        notice = _DECODER.decode(record.value, Notice)
        place = (notice.case, notice.target)
        task = asyncio.create_task(self._bring(notice, self._last.get(place)), name=f"notice-{notice.id}")
        self._last[place] = task
        self._metrics.in_hand.inc()
        task.add_done_callback(lambda done: self._ended(place, done))
        return task

    def _ended(self, place: tuple[CaseId, str], task: "asyncio.Task[None]") -> None:
        self._metrics.in_hand.dec()
        if self._last.get(place) is task:
            del self._last[place]
        if not task.cancelled():
            task.exception()  # the consumer has it, unless it is gone

    async def _bring(self, notice: Notice, before: "asyncio.Task[None] | None") -> None:
        if before is not None:
            await asyncio.wait((before,))
        outcome = await self._sender.bring(notice)
        self._metrics.notices.labels(outcome).inc()

    # What the consumer asks of its owner.

    async def on_assigned(self, partitions: Mapping[Partition, int]) -> None:
        """No fence is needed: targets drop repeats by the notice's id."""

    async def on_poison(self, record: Record, exc: Exception) -> None:
        """To the dead letters; a record that even they refuse is gone, and that is logged."""
        outcome = NoticeOutcome.FAILED if isinstance(exc, NoticeFailed) else NoticeOutcome.UNDECODABLE
        self._metrics.notices.labels(outcome).inc()
        LOG.error("a notice is put aside: %s", exc, extra={"event": f"notice.{outcome}", "case": record.key})
        while True:
            try:
                await self._parts.bus.publish([_letter(record, exc)])
                return
            except BusUnavailable:
                # Until the stop cuts it off: passed by, the record would be lost.
                await self._parts.clock.wait(asyncio.Event(), _RETRY_S)
            except RecordRefused:
                LOG.exception("a notice is lost", extra={"event": "notice.lost", "case": record.key})
                return

    # Tasks.

    def _spawn(self, name: str, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._task_ended)
        return task

    def _task_ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if self._is_closing:
            if error is not None:
                LOG.error("%s failed at its end", task.get_name(), exc_info=error, extra={"event": "notice.error"})
            return
        died = TaskDied(f"the task {task.get_name()!r} ended" + (f": {error!r}" if error else ""))
        died.__cause__ = error
        self._on_failure(died)


def _letter(record: Record, exc: Exception) -> Outgoing:
    """The record as it was, with where it lay and why it is put aside."""
    where: Headers = (
        ("turnout-topic", record.partition.topic.encode()),
        ("turnout-partition", str(record.partition.number).encode()),
        ("turnout-offset", str(record.offset).encode()),
        ("turnout-reason", f"{type(exc).__name__}: {exc}".encode("utf-8", "replace")[:1000]),
    )
    return Outgoing(topic=DEAD_LETTERS, key=record.key, value=record.value, headers=(*record.headers, *where))
