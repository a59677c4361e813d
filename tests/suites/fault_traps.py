"""Traps: records that kill or hang the router which handles them. The product has none; they are laid around it."""

import os
import re
import signal
import threading
import time
from collections.abc import Awaitable
from typing import Final

from router.runtime.bus.protocol import Record
from router.service.intake import Intake
from router.store.acts import Fence

KILLS: Final = "a trap that kills"
_HANGS: Final = "a trap that hangs until"
_UNTIL: Final = re.compile(_HANGS.encode() + rb" ([a-j]+)")
# A long number is masked on its way, as a card's would be.
_LETTERS: Final = str.maketrans("0123456789", "abcdefghij")
_DIGITS: Final = bytes.maketrans(b"abcdefghij", b"0123456789")


def hangs(until_ms: int) -> str:
    """A text that holds the event loop of whoever handles it until then, and is harmless afterwards."""
    return f"{_HANGS} {str(until_ms).translate(_LETTERS)}"


def hung_s(value: bytes, now_ms: int) -> float:
    """For how long a record hangs its handler, in seconds; 0 for one that is no such trap, or not any more."""
    found = _UNTIL.search(value)
    return max(0, int(found[1].translate(_DIGITS)) - now_ms) / 1000 if found else 0.0


def lay() -> None:
    """From now on this process walks into them."""
    handle = Intake.handle

    async def into_traps(self: Intake, record: Record, fence: Fence) -> Awaitable[None] | None:
        value = record.value or b""
        if KILLS.encode() in value:
            os.kill(os.getpid(), signal.SIGKILL)
        if seconds := hung_s(value, time.time_ns() // 1_000_000):
            threading.Event().wait(seconds)  # in the loop's own thread: nothing else runs
        return await handle(self, record, fence)

    Intake.handle = into_traps  # type: ignore[method-assign]
