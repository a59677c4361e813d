"""Publishes what many callers bring at the same time in few calls of the bus."""

import asyncio
from collections import deque
from typing import Final, NamedTuple

from router.runtime.bus.protocol import Bus, Outgoing
from router.runtime.errors import BusUnavailable, RecordRefused

_BATCH_RECORDS: Final = 256
_BATCH_BYTES: Final = 1_048_576


class _Waiting(NamedTuple):
    record: Outgoing
    durable: asyncio.Future[None]
    size_bytes: int


class Batches:
    """Everything that is brought within one turn of the loop goes out in one call; a few calls run at the
    same time, so that one slow partition doesn't hold up the rest.

    Records whose ``publish`` was awaited one after the other keep their order; overlapping ones have none.
    """

    def __init__(self, bus: Bus, *, calls: int = 4) -> None:
        self._bus = bus
        self._calls = calls
        self._waiting: deque[_Waiting] = deque()
        self._publishing: set[asyncio.Task[None]] = set()
        self._is_scheduled = False
        self.records = 0
        """Brought and not yet durable."""
        self.size_bytes = 0
        """Their size."""

    async def publish(self, record: Outgoing, *, within_s: float = 15.0) -> None:
        """Return when the record is durable. Raises as ``Bus.publish``; ``BusUnavailable`` as well when that
        takes too long. Who is cancelled here takes nothing back."""
        loop = asyncio.get_running_loop()
        durable: asyncio.Future[None] = loop.create_future()
        size_bytes = len(record.value or b"") + len(record.key)
        self._waiting.append(_Waiting(record, durable, size_bytes))
        self.records += 1
        self.size_bytes += size_bytes
        if not self._is_scheduled:
            self._is_scheduled = True
            loop.call_soon(self._flush)
        try:
            async with asyncio.timeout(within_s):
                await durable
        except TimeoutError as exc:
            raise BusUnavailable(f"no answer of the bus within {within_s:g} s") from exc

    async def drain(self, within_s: float) -> None:
        """Let what was brought reach the bus; what hasn't by then is given up."""
        loop = asyncio.get_running_loop()
        ends = loop.time() + within_s
        while (self._publishing or self._waiting) and loop.time() < ends:
            if self._publishing:
                await asyncio.wait(self._publishing, timeout=ends - loop.time())
            await asyncio.sleep(0)  # a flush that is scheduled, and who waits for the end
        for task in tuple(self._publishing):
            task.cancel()
        await asyncio.gather(*self._publishing, return_exceptions=True)
        while self._waiting:
            self._settle(self._waiting.popleft(), BusUnavailable("the service stops"))

    def _flush(self) -> None:
        self._is_scheduled = False
        while self._waiting and len(self._publishing) < self._calls:
            task = asyncio.create_task(self._publish(self._next_batch()), name="publish-batch")
            self._publishing.add(task)
            task.add_done_callback(self._published)

    def _next_batch(self) -> list[_Waiting]:
        batch = [self._waiting.popleft()]
        size_bytes = batch[0].size_bytes
        while self._waiting and len(batch) < _BATCH_RECORDS:
            size_bytes += self._waiting[0].size_bytes
            if size_bytes > _BATCH_BYTES:
                break
            batch.append(self._waiting.popleft())
        return batch

    async def _publish(self, batch: list[_Waiting]) -> None:
        while batch:
            try:
                await self._bus.publish([waiting.record for waiting in batch])
            except RecordRefused as exc:
                # The others may be on the bus or not: they go again, with the same ids.
                self._settle(batch.pop(exc.index), RecordRefused(0, exc.reason))
                continue
            except BaseException as exc:
                for waiting in batch:
                    self._settle(waiting, _own(exc))
                raise
            for waiting in batch:
                self._settle(waiting, None)
            return

    def _settle(self, waiting: _Waiting, error: Exception | None) -> None:
        self.records -= 1
        self.size_bytes -= waiting.size_bytes
        if waiting.durable.done():
            return
        if error is None:
            waiting.durable.set_result(None)
        else:
            waiting.durable.set_exception(error)

    def _published(self, task: "asyncio.Task[None]") -> None:
        self._publishing.discard(task)
        if not task.cancelled():
            task.exception()  # each caller has got it
        self._flush()


def _own(error: BaseException) -> Exception:
    """An error object for each caller: raising one object in many tasks piles up its traceback."""
    if isinstance(error, Exception) and not isinstance(error, BusUnavailable):
        return error
    own = BusUnavailable(str(error) or "the call was cut off")
    own.__cause__ = error
    return own
