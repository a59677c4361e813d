"""Notices that the process no longer makes progress, says why, and ends it: another one takes over.

Nothing is healed in place. A blocked event loop can't stop itself in order, so a thread ends the process at
once; a consumer that is stuck stops the service in order, as a failure.
"""

import asyncio
import faulthandler
import logging
import math
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import Final, NoReturn

from router.runtime.clock import Clock
from router.runtime.errors import ProcessStuck
from router.runtime.metrics import RuntimeMetrics

LOG = logging.getLogger(__name__)

EXIT_BLOCKED: Final = 70
_BEAT_S: Final = 0.25


def end_process(reason: str) -> NoReturn:
    """The way out when the event loop is blocked: nothing can be closed any more."""
    LOG.critical("%s; the process ends itself", reason, extra={"event": "watchdog.blocked"})
    logging.shutdown()
    os._exit(EXIT_BLOCKED)


class LoopWatch:
    """Measures how late the event loop is, and calls ``on_blocked`` from a thread when it hangs.

    ``run`` beats inside the loop; the thread looks from outside. Code that never lets go of the interpreter
    (a backtracking regular expression) keeps the thread from looking too: ``seized_s`` after the last beat
    the process is ended from below the interpreter, with the stacks of all threads on standard error.
    """

    def __init__(
        self,
        metrics: RuntimeMetrics,
        *,
        blocked_s: float,
        on_blocked: Callable[[str], object] = end_process,
        beat_s: float = _BEAT_S,
        seized_s: float | None = None,
    ) -> None:
        self._metrics = metrics
        self._blocked_s = blocked_s
        self._on_blocked = on_blocked
        self._beat_s = beat_s
        self._seized_s = seized_s or max(10.0, 2 * blocked_s)
        self._armed_at_s = -math.inf
        self._beaten_at_s = time.monotonic()
        self._loop_thread = threading.get_ident()
        self._end = threading.Event()

    def age_s(self) -> float:
        """Seconds since the loop last ran; may be asked from any thread."""
        return time.monotonic() - self._beaten_at_s

    async def run(self) -> None:
        """Beat until cancelled."""
        self._beaten_at_s = time.monotonic()
        self._loop_thread = threading.get_ident()
        threading.Thread(target=self._look, name="loop-watch", daemon=True).start()
        try:
            while True:
                self._arm()
                planned_s = time.monotonic() + self._beat_s
                await asyncio.sleep(self._beat_s)
                self._beaten_at_s = time.monotonic()
                self._metrics.loop_lag_seconds.observe(max(0.0, self._beaten_at_s - planned_s))
        finally:
            self._end.set()
            faulthandler.cancel_dump_traceback_later()

    def _arm(self) -> None:
        # Each arming starts a thread: not at every beat.
        if self._beaten_at_s - self._armed_at_s >= min(1.0, self._seized_s / 4):
            self._armed_at_s = self._beaten_at_s
            faulthandler.dump_traceback_later(self._seized_s, exit=True, file=sys.__stderr__ or 2)

    def _look(self) -> None:
        onlooker = Onlooker(time.monotonic(), gap_s=self._blocked_s / 2)
        while not self._end.wait(min(self._beat_s, self._blocked_s / 4)):
            hung_s = onlooker.hung_s(time.monotonic(), self._beaten_at_s)
            if hung_s > self._blocked_s:
                where = _stack_of(self._loop_thread)
                self._on_blocked(f"the event loop has hung for {hung_s:.1f} s, in:\n{where}")
                return


class Onlooker:
    """Tells a loop that hangs from a process that was stopped as a whole (by a signal, with its machine):
    then the onlooker itself has not looked for longer than ``gap_s``, and the time before doesn't count."""

    def __init__(self, now_s: float, *, gap_s: float) -> None:
        self._looked_at_s = now_s
        self._awake_since_s = now_s
        self._gap_s = gap_s

    def hung_s(self, now_s: float, beaten_at_s: float) -> float:
        """For how long the loop has hung, given its last beat."""
        if now_s - self._looked_at_s > self._gap_s:
            self._awake_since_s = now_s
        self._looked_at_s = now_s
        return now_s - max(beaten_at_s, self._awake_since_s)


def _stack_of(thread: int) -> str:
    frame = sys._current_frames().get(thread)  # noqa: SLF001  # the documented way to another thread's stack
    return "".join(traceback.format_stack(frame)).rstrip() if frame else "(unknown)"


class ConsumerWatch:
    """What is known of one consumer's progress. Used from the event loop."""

    def __init__(self, name: str, clock: Clock, *, limit_s: float) -> None:
        self.name = name
        self._clock = clock
        self._limit_s = limit_s
        self._polled_at_s = clock.monotonic()
        self._moved_at_s = clock.monotonic()

    def polled(self, records: int) -> None:
        """A poll has come back, with so many records."""
        self._polled_at_s = self._clock.monotonic()
        if records:
            self._moved_at_s = self._polled_at_s

    def idle(self) -> None:
        """There is nothing to hand out, or the consumer is paused on purpose: standing still is right."""
        self._moved_at_s = self._clock.monotonic()

    def problem(self) -> str | None:
        """Why the consumer counts as stuck, if it does: it doesn't poll, or polls come back empty although
        nobody has said ``idle`` for as long."""
        now_s = self._clock.monotonic()
        if (age_s := now_s - self._polled_at_s) > self._limit_s:
            return f"the consumer {self.name} has not polled for {age_s:.0f} s"
        if (age_s := now_s - self._moved_at_s) > self._limit_s:
            return f"the consumer {self.name} gets no records for {age_s:.0f} s although there are some"
        return None


class Watchdog:
    """The watches of one process."""

    def __init__(self, clock: Clock, loop_watch: LoopWatch, *, poll_age_s: float, alive_s: float = 5.0) -> None:
        self._clock = clock
        self._loop_watch = loop_watch
        self._poll_age_s = poll_age_s
        self._alive_s = alive_s
        self._consumers: dict[str, ConsumerWatch] = {}

    def consumer(self, name: str) -> ConsumerWatch:
        """A watch for one consumer, which must call it from now on until ``forget``."""
        watch = self._consumers[name] = ConsumerWatch(name, self._clock, limit_s=self._poll_age_s)
        return watch

    def forget(self, watch: ConsumerWatch) -> None:
        """The consumer was closed on purpose."""
        if self._consumers.get(watch.name) is watch:
            del self._consumers[watch.name]

    def problem(self) -> str | None:
        """The first reason why this process should be restarted, for /livez."""
        if (age_s := self._loop_watch.age_s()) > self._alive_s:
            return f"the event loop was late by {age_s:.1f} s"
        return next((text for watch in self._consumers.values() if (text := watch.problem())), None)

    async def run(self) -> None:
        """Look every second. Raises ``ProcessStuck`` when a consumer is stuck."""
        never = asyncio.Event()
        while True:
            for watch in self._consumers.values():
                if (problem := watch.problem()) is not None:
                    raise ProcessStuck(problem)
            await self._clock.wait(never, 1.0)
