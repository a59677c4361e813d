"""Start and stop of a process: in order, by name, under one deadline; and tasks that may not die unseen."""

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable, Coroutine
from types import TracebackType
from typing import Any, Final, NamedTuple, Self, TypeVar

from router.runtime.errors import RuntimeFailure, StartFailed, TaskDied

LOG = logging.getLogger(__name__)
T = TypeVar("T")

# A part that takes longer to open has failed, unless it says how long it may take.
_START_S: Final = 60.0
# Past the deadline a step still gets this long, to give back sockets and locks.
_LAST_WORD_S: Final = 0.5


class _Step(NamedTuple):
    name: str
    close: Callable[[float], Awaitable[object]]


class _StoppedEarly(StartFailed):
    """The stop came while something was still starting: no failure."""


class Lifecycle:
    """Owns all that a process opens and every task it runs, as an async context manager.

    Leaving it closes everything in reverse order of opening, tasks included, whatever happened before;
    then raises what made the service stop, if that was a failure. A step that fails or takes too long is
    logged by name and does not keep the next from closing.
    """

    def __init__(self, *, stop_s: float) -> None:
        self._stop_s = stop_s
        self._steps: list[_Step] = []
        self._stopping = asyncio.Event()
        self._failure: BaseException | None = None

    @property
    def stopping(self) -> asyncio.Event:
        """Set once, when the service begins to stop. Never cleared."""
        return self._stopping

    async def open(
        self,
        name: str,
        opening: Coroutine[Any, Any, T],
        close: Callable[[T, float], Awaitable[object]] | None = None,
        *,
        within_s: float | None = None,
    ) -> T:
        """Await ``opening`` and remember how to close what it gave; ``close`` gets the seconds left.

        Raises ``StartFailed``, naming the part, when it fails or takes too long.
        """
        task = asyncio.ensure_future(opening)
        stop = asyncio.ensure_future(self._stopping.wait())
        limit_s = within_s or _START_S
        LOG.info("starting %s", name, extra={"event": "start.begin", "part": name})
        try:
            await asyncio.wait((task, stop), timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stop.cancel()
            if not task.done():
                await _cancel(task, _LAST_WORD_S)
        opened = self._opened(name, task, limit_s)
        if close is not None:
            self._steps.append(_Step(name, lambda left_s: close(opened, left_s)))
        LOG.info("started %s", name, extra={"event": "start.done", "part": name})
        return opened

    def spawn(self, name: str, work: Coroutine[Any, Any, object], *, ask: Callable[[], object] | None = None) -> None:
        """Run a task for as long as the service lives: its end, by error or not, stops the service.

        At its turn in the stopping order ``ask`` is called and the task may finish by itself until the
        deadline; without ``ask`` it is cancelled at once.
        """
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(self._died)

        async def close(left_s: float) -> None:
            if ask is not None:
                ask()
                await asyncio.wait((task,), timeout=left_s)
            await _cancel(task, _LAST_WORD_S)

        self._steps.append(_Step(name, close))

    def request_stop(self, reason: str) -> None:
        """Begin to stop. Repeating it does nothing."""
        if not self._stopping.is_set():
            LOG.info("stopping: %s", reason, extra={"event": "stop.begin", "reason": reason})
            self._stopping.set()

    def fail(self, error: BaseException) -> None:
        """Begin to stop because of a failure; the first one is raised at the end."""
        if self._failure is None and not self._stopping.is_set():
            LOG.error("the service fails", exc_info=error, extra={"event": "stop.failure"})
            self._failure = error
        self.request_stop(f"{type(error).__name__}: {error}")

    def handle_signals(self, reload: Callable[[], object] | None = None) -> None:
        """SIGTERM and SIGINT stop the service; SIGHUP calls ``reload``. For the main thread only."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.request_stop, number.name)
        if reload is not None:
            loop.add_signal_handler(signal.SIGHUP, reload)

    async def stopped(self) -> None:
        """Return when the service is to stop."""
        await self._stopping.wait()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self.request_stop("the end of the service" if error is None else f"{type(error).__name__}: {error}")
        await self._close_all()
        if self._failure is not None:
            raise self._failure
        return isinstance(error, _StoppedEarly)

    async def _close_all(self) -> None:
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + self._stop_s
        while self._steps:
            name, close = self._steps.pop()
            left_s = max(deadline_s - loop.time(), _LAST_WORD_S)
            await _close_step(name, close, left_s)
        LOG.info("stopped", extra={"event": "stop.done"})

    def _opened(self, name: str, task: "asyncio.Future[T]", limit_s: float) -> T:
        if not task.done() or task.cancelled():
            if self._stopping.is_set():
                raise _StoppedEarly(f"{name} was not up yet when the stop came")
            raise StartFailed(f"{name} was not up within {limit_s:g} s")
        error = task.exception()
        if error is None:
            return task.result()
        if isinstance(error, RuntimeFailure):
            raise StartFailed(f"{name} could not be started: {error}") from error
        raise StartFailed(f"{name} could not be started: {error!r}") from error

    def _died(self, task: "asyncio.Task[object]") -> None:
        if task.cancelled():
            error = None
        elif (error := task.exception()) is not None and self._stopping.is_set():
            LOG.error("%s failed while stopping", task.get_name(), exc_info=error, extra={"event": "stop.error"})
        if not self._stopping.is_set():
            died = TaskDied(f"the task {task.get_name()!r} ended" + (f": {error!r}" if error else ""))
            died.__cause__ = error
            self.fail(died)


async def _close_step(name: str, close: Callable[[float], Awaitable[object]], left_s: float) -> None:
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    task = asyncio.ensure_future(close(left_s))
    # A little more than the part was told, so that one which keeps its deadline is not called late.
    await asyncio.wait((task,), timeout=left_s + _LAST_WORD_S)
    late = not task.done()
    if late:
        await _cancel(task, _LAST_WORD_S)
    extra = {"part": name, "seconds": round(loop.time() - began_s, 3)}
    error = None if not task.done() or task.cancelled() else task.exception()
    if late:
        LOG.warning("%s did not stop in time", name, extra={"event": "stop.late", **extra})
    elif error is not None:
        LOG.error("%s failed to stop", name, exc_info=error, extra={"event": "stop.error", **extra})
    else:
        LOG.info("stopped %s", name, extra={"event": "stop.part", **extra})


async def _cancel(task: "asyncio.Future[Any]", within_s: float) -> None:
    """Cancel and wait for the end, but not for ever: a task may refuse to be cancelled."""
    task.cancel()
    await asyncio.wait((task,), timeout=within_s)
