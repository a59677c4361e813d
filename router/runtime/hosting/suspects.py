"""What may have ended the process that was sending it: tried one by one, each try counted before it is made."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from router.contract.ids import ReplyId
from router.runtime.errors import RuntimeFailure, StoreUnavailable
from router.runtime.ledger import Ledger

LOG = logging.getLogger(__name__)
MOST: Final = 5
_TURN_S: Final = 2.0


class KeepsKilling(RuntimeFailure):
    """Sending it has ended the process again and again: it is not tried any more. Mend what it meets."""


class Suspects:
    """One for all that sends in a process, so that what kills it is never counted together with what was only near.

    A slow one holds its turn for two seconds at most. ``most`` tries in all are made: the first is noted by its
    ``sending`` in the ledger.
    """

    def __init__(self, ledger: Ledger, *, most: int = MOST) -> None:
        self._ledger = ledger
        self._most = most
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def counted(self, reply: ReplyId) -> AsyncIterator[None]:
        """Count a try, and make it in here. Raises ``KeepsKilling`` when there have been enough,
        ``StoreUnavailable``. A try that ends in any way but with the process is forgotten."""
        async with self._one_at_a_time():
            count = await self._ledger.attempt(reply)
            if count >= self._most:
                LOG.error("%s keeps killing", reply, extra={"event": "reply.keeps_killing", "reply": reply})
                raise KeepsKilling(f"sending it has ended the process {count} times")
            try:
                yield
            finally:
                with suppress(StoreUnavailable):  # counted once too often is safe
                    await self._ledger.survived(reply)

    @asynccontextmanager
    async def _one_at_a_time(self) -> AsyncIterator[None]:
        await self._turn.acquire()
        over = asyncio.get_running_loop().call_later(_TURN_S, self._turn.release)
        try:
            yield
        finally:
            if over.when() > asyncio.get_running_loop().time():  # else it has run, or is about to
                over.cancel()
                self._turn.release()
