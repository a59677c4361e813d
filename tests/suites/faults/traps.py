"""Traps: records that kill or hang the router which handles them, or jam the relay that has them in hand. The product
has none; they are laid around it."""

import asyncio
import os
import re
import signal
import threading
import time
from collections.abc import Awaitable, Sequence
from typing import Final

from router.runtime.bus.protocol import Outgoing, Record
from router.service.intake import Intake
from router.service.relaying.sending import Sender
from router.store.acts import Fence

KILLS: Final = "a trap that kills"
_HANGS: Final = "a trap that hangs until"
_JAMS: Final = "trap-that-jams-until"
_HUNG: Final = re.compile(_HANGS.encode() + rb" ([a-j]+)")
_JAMMED: Final = re.compile(_JAMS.encode() + rb"-([a-j]+)")
# A long number is masked on its way, as a card's would be.
_LETTERS: Final = str.maketrans("0123456789", "abcdefghij")
_DIGITS: Final = bytes.maketrans(b"abcdefghij", b"0123456789")


def hangs(until_ms: int) -> str:
    """A text that holds the event loop of whoever handles it until then, and is harmless afterwards."""
    return f"{_HANGS} {str(until_ms).translate(_LETTERS)}"


def hung_s(value: bytes, now_ms: int) -> float:
    """For how long a record hangs its handler, in seconds; 0 for one that is no such trap, or not any more."""
    return max(0, _until_ms(_HUNG, value) - now_ms) / 1000


def jams(until_ms: int) -> str:
    """A name for a conversation whose events get no relay further that meets them before then."""
    return f"{_JAMS}-{str(until_ms).translate(_LETTERS)}"


def is_jammed(value: bytes, now_ms: int) -> bool:
    """Whether a record is such a trap, and its time is not over."""
    return now_ms < _until_ms(_JAMMED, value)


def _until_ms(trap: re.Pattern[bytes], value: bytes) -> int:
    found = trap.search(value)
    return int(found[1].translate(_DIGITS)) if found else 0


def lay() -> None:
    """From now on this process walks into them."""
    _lay_for_routers()
    _lay_for_relays()


def _lay_for_routers() -> None:
    handle = Intake.handle

    async def into_traps(self: Intake, record: Record, fence: Fence) -> Awaitable[None] | None:
        value = record.value or b""
        if KILLS.encode() in value:
            os.kill(os.getpid(), signal.SIGKILL)
        if seconds := hung_s(value, _now_ms()):
            threading.Event().wait(seconds)  # in the loop's own thread: nothing else runs
        return await handle(self, record, fence)

    Intake.handle = into_traps  # type: ignore[method-assign]


def _lay_for_relays() -> None:
    send = Sender.send

    async def into_traps(self: Sender, records: Sequence[Outgoing]) -> bool:
        if any(is_jammed(record.value or b"", _now_ms()) for record in records):
            await asyncio.Event().wait()  # the loop and all else of this process go on
        return await send(self, records)

    Sender.send = into_traps  # type: ignore[method-assign]


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
