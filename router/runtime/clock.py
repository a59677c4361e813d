"""Time, as the service sees it: wall time at start plus monotonic time, so it never jumps with the host."""

import asyncio
import heapq
import itertools
import math
import time
from contextlib import suppress
from typing import Protocol


class Clock(Protocol):
    """The one source of time of a process."""

    def now_ms(self) -> int:
        """Milliseconds since the Unix epoch; never goes back."""

    def monotonic(self) -> float:
        """Seconds since an arbitrary moment, for measuring spans."""

    async def sleep_until_ms(self, at_ms: int) -> None:
        """Return at ``at_ms`` or later, never earlier; at once if that is past."""

    async def wait(self, event: asyncio.Event, timeout_s: float) -> bool:
        """Return when the event is set (True) or the time is over (False)."""


class SystemClock:
    """Real time. A correction of the host's clock after the start is not seen, on purpose."""

    def __init__(self) -> None:
        self._offset_s = time.time() - time.monotonic()

    def now_ms(self) -> int:
        return int((self._offset_s + time.monotonic()) * 1000)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep_until_ms(self, at_ms: int) -> None:
        # A loop's timers may fire a little early: a deadline must not.
        while (left_ms := at_ms - self.now_ms()) > 0:  # noqa: ASYNC110  # waits for time, not for a state
            await asyncio.sleep(left_ms / 1000)

    async def wait(self, event: asyncio.Event, timeout_s: float) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await event.wait()
        return event.is_set()


class ManualClock:
    """A clock that stands still until a test moves it.

    ``advance_ms`` goes from deadline to deadline, in order, and lets each sleeper run before time passes
    on. ``asleep`` says that the code under test has reached its sleep, so no test has to guess.
    """

    def __init__(self, now_ms: int = 1_760_000_000_000) -> None:
        self._now_ms = now_ms
        self._start_ms = now_ms
        self._order = itertools.count()
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._changed = asyncio.Event()

    def now_ms(self) -> int:
        return self._now_ms

    def monotonic(self) -> float:
        return (self._now_ms - self._start_ms) / 1000

    async def sleep_until_ms(self, at_ms: int) -> None:
        if at_ms <= self._now_ms:
            await asyncio.sleep(0)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (at_ms, next(self._order), woken))
        self._changed.set()
        try:
            await woken
        finally:
            # One that was cancelled must not count as asleep.
            self._sleepers = [sleeper for sleeper in self._sleepers if sleeper[2] is not woken]
            heapq.heapify(self._sleepers)

    async def wait(self, event: asyncio.Event, timeout_s: float) -> bool:
        if event.is_set():
            return True
        sleep = asyncio.ensure_future(self.sleep_until_ms(self._now_ms + math.ceil(timeout_s * 1000)))
        happened = asyncio.ensure_future(event.wait())
        try:
            await asyncio.wait((sleep, happened), return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleep.cancel()
            happened.cancel()
            await asyncio.gather(sleep, happened, return_exceptions=True)
        return event.is_set()

    async def asleep(self, sleepers: int = 1) -> None:
        """Return once at least so many sleep or wait with a time-out on this clock."""
        while len(self._sleepers) < sleepers:
            self._changed.clear()
            await self._changed.wait()

    async def advance_ms(self, span_ms: int) -> None:
        """Let time pass, waking each sleeper at its own moment."""
        end_ms = self._now_ms + span_ms
        while self._sleepers and self._sleepers[0][0] <= end_ms:
            at_ms, _, woken = heapq.heappop(self._sleepers)
            self._now_ms = max(self._now_ms, at_ms)
            if not woken.done():
                woken.set_result(None)
            await self._settle()
        self._now_ms = end_ms
        await self._settle()

    @staticmethod
    async def _settle() -> None:
        # Enough turns of the loop for a chain of callbacks to reach its next real wait.
        for _ in range(25):
            await asyncio.sleep(0)
