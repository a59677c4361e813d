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
from collections.abc import Awaitable, Callable
from typing import Final, NoReturn

from router.runtime.clock import Clock
from router.runtime.errors import ProcessStuck
from router.runtime.metrics import RuntimeMetrics
from router.runtime.watches import ConsumerWatch, PublisherWatch

LOG = logging.getLogger(__name__)

EXIT_BLOCKED: Final = 70
_BEAT_S: Final = 0.25
_LOOK_S: Final = 1.0
_STOPPED_S: Final = 5.0

Problem = Callable[[], str | None]


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


class Watchdog:
    """The watches of one process.

    A bus or a store that is away is ridden out, however long it takes. ``bus_answers`` tells it from a client that is
    broken for good: it asks the bus by fresh connections, and is asked only when calls have failed for long.
    """

    def __init__(self, clock: Clock, loop_watch: LoopWatch, *, poll_age_s: float, alive_s: float = 5.0) -> None:
        self._clock = clock
        self._loop_watch = loop_watch
        self._poll_age_s = poll_age_s
        self._alive_s = alive_s
        self._watches: dict[str, ConsumerWatch | PublisherWatch] = {}
        self._problems: dict[str, Problem] = {}
        self._awake_since_s = -math.inf
        self._answered_at_s: float | None = None
        self.bus_answers: Callable[[], Awaitable[bool]] = _unknown

    def consumer(self, name: str) -> ConsumerWatch:
        """A watch for one consumer, which must call it from now on until ``forget``."""
        watch = ConsumerWatch(name, self._clock, limit_s=self._poll_age_s)
        self._watches[f"consumer {name}"] = watch
        return watch

    def publisher(self) -> PublisherWatch:
        """The watch for what this process publishes."""
        watch = PublisherWatch(self._clock, limit_s=self._poll_age_s)
        self._watches["publisher"] = watch
        return watch

    def add(self, name: str, problem: Problem) -> None:
        """Ask this, too: it says why the process counts as stuck, or None."""
        self._problems[name] = problem

    def forget(self, watch: ConsumerWatch) -> None:
        """The consumer was closed on purpose."""
        if self._watches.get(f"consumer {watch.name}") is watch:
            del self._watches[f"consumer {watch.name}"]

    def problem(self) -> str | None:
        """The first reason why this process should be restarted, for /livez."""
        if (age_s := self._loop_watch.age_s()) > self._alive_s:
            return f"the event loop was late by {age_s:.1f} s"
        return self._stuck()

    def _stuck(self) -> str | None:
        found = (watch.problem() for watch in self._watches.values())
        # Right after a stop of the whole process all would look as if it had stood still.
        is_fresh = self._clock.monotonic() - self._awake_since_s < _STOPPED_S
        asked = () if is_fresh else tuple(problem() for problem in self._problems.values())
        return next((text for text in (*found, *asked) if text), None)

    async def run(self) -> None:
        """Look every second. Raises ``ProcessStuck`` with the reason when something no longer makes progress."""
        never = asyncio.Event()
        while True:
            reason = self._stuck() or await self._broken()
            if reason is not None:
                raise ProcessStuck(reason)
            before_s = self._clock.monotonic()
            await self._clock.wait(never, _LOOK_S)
            if (gap_s := self._clock.monotonic() - before_s) > _STOPPED_S:
                # The whole process stood still (a signal, its machine): that is nobody's lack of progress.
                self._awake_since_s = self._clock.monotonic()
                for watch in self._watches.values():
                    watch.excuse(gap_s)

    async def _broken(self) -> str | None:
        """Why a client is broken for good: its calls have failed for long, and go on to fail for as long after fresh
        ones have succeeded. A bus that comes back answers some sooner than others."""
        failing = {text: watch for watch in self._watches.values() if (text := watch.failing())}
        now_s = self._clock.monotonic()
        if not failing:
            self._answered_at_s = None
        elif self._answered_at_s is not None and now_s - self._answered_at_s < self._poll_age_s:
            pass  # time to come back, too
        elif not await self.bus_answers():
            self._answered_at_s = None
            for watch in failing.values():
                watch.excuse_failures()
        elif self._answered_at_s is None:
            self._answered_at_s = now_s
        else:
            return f"{next(iter(failing))}, although the bus answers others"
        return None


async def _unknown() -> bool:
    return False
