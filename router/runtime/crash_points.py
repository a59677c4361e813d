"""Named places at which a process ends itself as if by ``kill -9``, so that tests can crash it where it hurts.

They stand in wrappers around store, bus and ledger, which only a process gets that was told to crash (setting
``crash_at``): any other has none of this.
"""

import logging
import os
import signal
from collections import Counter
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Final

LOG = logging.getLogger(__name__)


class CrashPoint(StrEnum):
    """Where. What has happened at a point, and nothing after it."""

    BEFORE_ACT = "before-act"
    """The act is computed, the store knows nothing of it."""
    AFTER_ACT = "after-act"
    """The act took effect and nobody has its answer."""
    BEFORE_ACCEPT = "before-accept"
    AFTER_ACCEPT = "after-accept"
    BEFORE_RESOLVE = "before-resolve"
    AFTER_RESOLVE = "after-resolve"
    AFTER_CLAIM = "after-claim"
    """Due timers are claimed and not served."""
    BEFORE_PRODUCE = "before-produce"
    """Acts are answered, their events are not on the bus."""
    AFTER_PRODUCE = "after-produce"
    """The events are on the bus, the relay's cursor is still before them."""
    AFTER_CURSOR = "after-cursor"
    """The relay's cursor has moved."""
    BEFORE_COMMIT = "before-commit"
    """Effects are durable, the input offset is not committed."""
    AFTER_COMMIT = "after-commit"
    IN_ASSIGNED = "in-assigned"
    """In the rebalance callback: fences are raised, nothing has been read."""
    IN_REVOKED = "in-revoked"
    """In the rebalance callback: partitions are given up, their last commit is not made."""
    AFTER_SENDING = "after-sending"
    """A reply is ``sending`` in the ledger and not sent."""
    BEFORE_SENT = "before-sent"
    """A reply is out and still ``sending`` in the ledger."""


PATTERN: Final = f"^({'|'.join(CrashPoint)})(@[1-9][0-9]{{0,5}})?$"
"""How a point is written: its name, and ``@n`` for the n-th time that it is reached (the first, if absent)."""


def _end() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class CrashPoints:
    """The points of one process. ``plan`` are texts of ``PATTERN``."""

    def __init__(self, plan: Sequence[str], *, end: Callable[[], None] = _end) -> None:
        self._times: dict[CrashPoint, int] = {}
        self._seen: Counter[CrashPoint] = Counter()
        self._end = end
        for text in plan:
            name, _, times = text.partition("@")
            self._times[CrashPoint(name)] = int(times or 1)

    def reached(self, point: CrashPoint) -> None:
        """End the process if that is planned here; else nothing."""
        self._seen[point] += 1
        if self._times.get(point) == self._seen[point]:
            LOG.error("the process crashes as planned: %s", point, extra={"event": "crash_point", "point": point})
            self._end()
