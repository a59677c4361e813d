"""The part of the role ``channels`` that tells staff: reads the notices and runs the notifiers."""

import asyncio
import logging
import os
import secrets
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any, Final

from aiohttp import ClientSession, web

from router.contract.codec import Decoder
from router.contract.ids import AdvisorId, CaseId
from router.contract.messages import Notice
from router.contract.topics import NOTICES
from router.runtime.bus.lanes import Consumer, Limits
from router.runtime.bus.protocol import Partition, Record
from router.runtime.dead_letters import dead_letter
from router.runtime.errors import BusUnavailable, RecordRefused, TaskDied
from router.runtime.hosting.channel_role import RoleParts
from router.runtime.hosting.in_turn import InTurn
from router.runtime.hosting.notice_gathering import Gathering, Held, StoppedFirst
from router.runtime.hosting.notice_metrics import NoticeMetrics, NoticeOutcome
from router.runtime.hosting.notice_sender import PROMPT, NoticeFailed, NoticeSender, end_as_written
from router.runtime.hosting.notifier_host import HostOfNotifier
from router.runtime.hosting.outbound import client_session
from router.runtime.hosting.problems import problem
from router.runtime.hosting.reply_sender import SendPolicy
from router.runtime.hosting.staff import StaffDirectory
from router.runtime.hosting.suspects import Suspects
from router.runtime.notifiers import CALLED_BACK_AT, AskedNotifier, Notifier, OpenNotifier, Pace, Target

LOG = logging.getLogger(__name__)

GROUP: Final = "notices"

Installed = Mapping[str, tuple[Notifier[Any], Sequence[Target[Any]]]]

_DECODER: Final = Decoder(Notice)
_RETRY_S: Final = 0.5
_POLL_AGE_S: Final = 10.0
_NAMES_KEPT: Final = 1000
# A lane only starts a notice, so few are enough. One that its target puts off holds a place in flight, and a
# target that is down must leave places for the others: a notice is small.
_LIMITS: Final = Limits(lanes=4, max_in_flight=4096, resume_at=2048)

# Whose messages go one after the other: those of a case, to a target and the same staff.
_Turn = tuple[CaseId, str, tuple[AdvisorId, ...]]


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
        targets = [target for _, some in notifiers.values() for target in some]
        paces: dict[str, Pace] = {target.id: target.pace for target in targets}
        self._gathering = Gathering(self._begin, paces=paces, clock=parts.clock, metrics=self._metrics)
        self._turns: InTurn[_Turn] = InTurn()
        self._consumer = Consumer(parts.bus, GROUP, (NOTICES,), handle=self._handle, hooks=self, limits=_LIMITS)
        self._staff = StaffDirectory(parts.bus, clock=parts.clock)
        self._unknown: set[str] = set()
        self._http: ClientSession | None = None
        self._opened: dict[str, OpenNotifier] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._reading: asyncio.Task[None] | None = None
        self._is_closing = False

    async def start(self, channels_url: str = "") -> None:
        """Open every notifier, then read. ``channels_url`` is the port of the channels as others see it. Raises
        ``PluginFailed``; whatever was opened by then is closed."""
        try:
            self._http = client_session()
            for name, (notifier, targets) in self._installed.items():
                host = HostOfNotifier(
                    name,
                    self._parts,
                    http=self._http,
                    staff=self._staff,
                    spawn=self._spawn,
                    base_url=f"{channels_url}/{CALLED_BACK_AT}/{name}",
                )
                opened = await notifier.open(targets, host)
                self._opened[name] = opened
                self._routes.update({target.id: opened for target in targets})
                extra = {"event": "notifier.open", "notifier": name}
                LOG.info("%s is open for %s targets", name, len(targets), extra=extra)
        except BaseException:
            await self.close(1.0)
            raise
        self._spawn("staff", self._staff.run())
        self._reading = self._spawn("notices", self._read())

    async def _read(self) -> None:
        await self._staff.is_current.wait()  # before, nobody would have an address
        await self._consumer.run()

    def routes(self) -> Sequence[web.AbstractRouteDef]:
        """Where the notifiers are called back; before they are open, they are refused for now."""
        return [web.post("/{notifier}", self._asked), web.post("/{notifier}/{rest:.*}", self._asked)]

    async def _asked(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["notifier"]
        opened = self._opened.get(name)
        if opened is None and name in self._installed:
            return problem(503, "The service is starting: send it again.", retry_after_s=1.0)
        if not isinstance(opened, AskedNotifier):
            return problem(404, "Not Found.")
        return await opened.asked(request)

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
        await self._gathering.let_go()
        self._consumer.stop(deadline_s=within_s * 0.6)
        if self._reading is not None:
            await asyncio.wait((self._reading,), timeout=within_s * 0.6 + 0.2)
        for task in self._tasks:
            task.cancel()
        await self._turns.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
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
        if notice.target not in self._routes:
            self._say_unknown(notice.target)
            self._metrics.notices.labels(NoticeOutcome.NO_TARGET).inc()
            return None
        entry = await self._sender.found(notice)
        held = Held(notice, record.partition, message=self._sender.dead_ones_message(entry))
        self._metrics.in_hand.inc()
        held.outcome.add_done_callback(lambda _: self._ended(held))
        if end_as_written(held, entry):
            self._gathering.sent_at(held.place, entry.at_ms if entry else 0)
        else:
            self._gathering.add(held)
        return held.outcome

    def _ended(self, held: Held) -> None:
        self._metrics.in_hand.dec()
        if held.became is not None:
            self._metrics.notices.labels(held.became).inc()

    def _begin(self, held: list[Held]) -> None:
        """Send a message, when its turn comes. What a hand-over has taken away is another's to send."""
        owned = self._consumer.partitions
        ours = []
        for each in held:
            if each.partition in owned:
                ours.append(each)
            else:
                each.fails(StoppedFirst(f"notice {each.notice.id} is read by another process now"))
        if ours:
            turns = {(each.notice.case, each.notice.target, each.notice.staff) for each in ours}
            self._turns.begin(turns, lambda: self._sender.bring(ours), name=f"notice-{ours[0].notice.id}")

    def _say_unknown(self, target: str) -> None:
        if target not in self._unknown and len(self._unknown) < _NAMES_KEPT:
            self._unknown.add(target)
            LOG.warning(
                "the rules notify %r, but the settings have no such target: add targets.%s, or take it out of the "
                "ladders",
                target,
                target,
                extra={"event": "notice.no_target", "target": target},
            )

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
                await self._parts.bus.publish([dead_letter(record, f"{type(exc).__name__}: {exc}")])
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
