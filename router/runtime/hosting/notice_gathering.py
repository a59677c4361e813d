"""Notices that come close together become one message; what is for quiet hours, or too much at once, is held."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final, NamedTuple

from router.contract.ids import AdvisorId, NoticeId
from router.contract.messages import Notice
from router.runtime.bus.protocol import Partition
from router.runtime.clock import Clock
from router.runtime.errors import RuntimeFailure
from router.runtime.hosting.notice_metrics import HeldFor, NoticeMetrics, NoticeOutcome
from router.runtime.notifiers import Pace
from router.runtime.token_bucket import Limiter, Rate

MOST_IN_ONE: Final = 200
MOST_QUIET: Final = 2_048
"""Less than may be in flight: a night's notices must leave places for those that may pass."""
_BURST_S: Final = 10.0
_MOST_PLACES: Final = 10_000


class StoppedFirst(RuntimeFailure):
    """The service stops, or gives the partition away, before the notice has an outcome. Whoever comes next reads it
    again."""

    retryable = True


class Place(NamedTuple):
    """Where notices come together. ``message`` is that of which a process died while it was sending it; empty for
    none: what belonged to one message then belongs to one again, so that it has the same id."""

    target: str
    staff: tuple[AdvisorId, ...]
    message: str = ""


class Held:
    """One notice until it has its outcome. ``outcome`` is what the record's commit waits for."""

    def __init__(self, notice: Notice, partition: Partition, *, message: str = "") -> None:
        self.notice = notice
        self.partition = partition
        self.place = Place(notice.target, notice.staff, message)
        self.is_suspect = bool(message)
        self.outcome: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.became: NoticeOutcome | None = None
        self.outcome.add_done_callback(_heard)

    def ends(self, outcome: NoticeOutcome) -> None:
        """That is what became of it. The first word stands."""
        if not self.outcome.done():
            self.became = outcome
            self.outcome.set_result(None)

    def fails(self, error: Exception) -> None:
        """It has no outcome, or a bad one."""
        if not self.outcome.done():
            self.outcome.set_exception(error)

    def follow(self, again: "Held") -> None:
        """It was read again, and ends as that does: one of the two is enough."""
        again.outcome.add_done_callback(lambda _: self._ends_as(again))

    def _ends_as(self, again: "Held") -> None:
        if again.outcome.cancelled():
            self.outcome.cancel()
        elif (error := again.outcome.exception()) is not None:
            self.fails(StoppedFirst(f"notice {self.notice.id}: {error}"))
        else:
            self.ends(NoticeOutcome.REPEATED)


def _heard(outcome: "asyncio.Future[None]") -> None:
    if not outcome.cancelled():
        outcome.exception()  # the consumer has it, unless it is gone


class _Group:
    """What waits at one place."""

    def __init__(self, now_ms: int) -> None:
        self.members: dict[NoticeId, Held] = {}
        self.first_ms = now_ms
        self.last_ms = now_ms
        self.is_full = asyncio.Event()

    def due_ms(self, pace: Pace) -> int:
        until_quiet = self.last_ms + round(pace.group_s * 1000)
        return min(until_quiet, self.first_ms + round(max(pace.group_s, pace.group_most_s) * 1000))

    def take(self, most: int, now_ms: int) -> list[Held]:
        taken = [self.members.pop(id_) for id_ in list(self.members)[:most]]
        self.first_ms = self.last_ms = now_ms
        self.is_full.clear()
        return taken


class Gathering:
    """``add`` notices; each message that is ready is given to ``send``. ``let_go`` ends it.

    Everything held is held in memory only, and none of it is committed: after a crash it is read again, and comes
    together again. A bucket of a throttle starts full, and ``sent_at`` takes out what was sent shortly before a crash.
    """

    def __init__(
        self,
        send: Callable[[list[Held]], object],
        *,
        paces: Mapping[str, Pace],
        clock: Clock,
        metrics: NoticeMetrics,
    ) -> None:
        self._send = send
        self._paces = paces
        self._clock = clock
        self._metrics = metrics
        self._groups: dict[Place, _Group] = {}
        self._quiet: dict[tuple[Place, int], tuple[list[Held], asyncio.Event]] = {}
        self._held = dict.fromkeys(HeldFor, 0)
        self._tasks: set[asyncio.Task[None]] = set()
        self._has_ended = False
        self._throttles: dict[str, Limiter[Place]] = {
            target: Limiter(_rate(pace), max_keys=_MOST_PLACES, on_forgotten=metrics.forgotten.inc)
            for target, pace in paces.items()
        }

    def add(self, held: Held) -> None:
        """Hold it until its message is due. One that is read again takes the place of what it was."""
        if self._has_ended:
            held.fails(StoppedFirst("the service stops"))
            return
        not_before_ms = held.notice.not_before_ms or 0
        if not_before_ms > self._clock.now_ms():
            self._hold_quiet(held, not_before_ms)
        else:
            self._join(held)

    def sent_at(self, place: Place, at_ms: int) -> None:
        """A message went there at that time, perhaps from a process that is gone: it counts for the throttle."""
        limiter = self._throttles.get(place.target)
        if limiter is not None and self._clock.now_ms() - at_ms < 60_000:
            limiter.take(place, self._clock.monotonic())

    async def let_go(self) -> None:
        """Hold nothing any more: whoever comes next reads it all again. Repeating it does nothing."""
        self._has_ended = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        quiet = [held for members, _ in self._quiet.values() for held in members]
        open_ = [held for group in self._groups.values() for held in group.members.values()]
        for held in (*quiet, *open_):
            held.fails(StoppedFirst(f"notice {held.notice.id} was held when the service stopped"))
        self._quiet.clear()
        self._groups.clear()

    # -- quiet hours

    def _hold_quiet(self, held: Held, until_ms: int) -> None:
        key = (held.place, until_ms)
        found = self._quiet.get(key)
        if found is None:
            found = self._quiet[key] = ([], asyncio.Event())
            self._start(self._keep_quiet(key, found[1]), f"notices-quiet-{held.place.target}")
        found[0].append(held)
        self._count(HeldFor.QUIET, 1)
        if self._held[HeldFor.QUIET] > MOST_QUIET:
            # Lost they must not be: those that would end first are told too early.
            self._metrics.early.inc()
            self._quiet[min(self._quiet, key=lambda each: each[1])][1].set()

    async def _keep_quiet(self, key: tuple[Place, int], is_over: asyncio.Event) -> None:
        while (left_ms := key[1] - self._clock.now_ms()) > 0 and not is_over.is_set():
            await self._clock.wait(is_over, left_ms / 1000)
        members, _ = self._quiet.pop(key)
        self._count(HeldFor.QUIET, -len(members))
        for held in members:
            self._join(held)

    # -- groups

    def _join(self, held: Held) -> None:
        now_ms = self._clock.now_ms()
        group = self._groups.get(held.place)
        if group is None:
            group = self._groups[held.place] = _Group(now_ms)
            self._start(self._serve(held.place, group), f"notices-group-{held.place.target}")
        before = group.members.pop(held.notice.id, None)
        if before is not None:
            self._count(HeldFor.GROUP, -1)
            before.follow(held)
        group.members[held.notice.id] = held
        group.last_ms = now_ms
        self._count(HeldFor.GROUP, 1)
        if len(group.members) >= MOST_IN_ONE:
            group.is_full.set()

    async def _serve(self, place: Place, group: _Group) -> None:
        """Send what comes together here, message by message, until nothing is left."""
        pace = self._paces.get(place.target, _AT_ONCE)
        while group.members:
            while (left_ms := group.due_ms(pace) - self._clock.now_ms()) > 0 and not group.is_full.is_set():
                # Not until the group is due only: what joins it moves that.
                await self._clock.wait(group.is_full, left_ms / 1000)
            was_throttled = await self._wait_for_leave(place)
            most = MOST_IN_ONE if pace.group_s or was_throttled or place.message else 1
            taken = group.take(most, self._clock.now_ms())
            self._count(HeldFor.GROUP, -len(taken))
            self._send(taken)
        del self._groups[place]

    async def _wait_for_leave(self, place: Place) -> bool:
        """Return when the throttle lets a message go; whether it had to wait."""
        limiter = self._throttles.get(place.target)
        if limiter is None or not (wait_s := limiter.take(place, self._clock.monotonic())):
            return False
        self._metrics.throttled.inc()
        self._count(HeldFor.THROTTLE, 1)
        try:
            while wait_s > 0:
                await self._clock.sleep_until_ms(self._clock.now_ms() + max(1, round(wait_s * 1000)))
                wait_s = limiter.take(place, self._clock.monotonic())
        finally:
            self._count(HeldFor.THROTTLE, -1)
        return True

    # -- parts

    def _count(self, why: HeldFor, number: int) -> None:
        self._held[why] += number
        self._metrics.held.labels(why).set(self._held[why])

    def _start(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


_AT_ONCE: Final = Pace()


def _rate(pace: Pace) -> Rate:
    per_s = pace.per_minute / 60
    return Rate(per_s, max(1.0, per_s * _BURST_S))
