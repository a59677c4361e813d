"""Following a topic from a process of its own: every process sees every record, and holds none back."""

from collections.abc import Callable
from typing import Final

from router.runtime.bus.protocol import Record, Tail

_POLL_MS: Final = 1_000
_MAX_RECORDS: Final = 500

Take = Callable[[Record], None]


async def follow(tail: Tail, take: Take) -> None:
    """Give each record to ``take`` until cancelled. Raises ``BusUnavailable``: follow the same tail again, and it
    goes on where it was."""
    while True:
        for record in await tail.poll(max_records=_MAX_RECORDS, timeout_ms=_POLL_MS):
            take(record)
