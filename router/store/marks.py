"""What gives way when a pool's memory is short: one table for both stores.

A pool's ``level`` is what a router found at its last look. It stands for ``LEVEL_LIFE_MS`` of the pool's time: one
that nobody has renewed since, as all routers are gone, holds nothing up.

* From ``SOFT`` on, and over the server's ``maxmemory``, the acts of ``YIELDING`` are refused (``FULL``): what brings
  new work in, and what people do that ends none. Asked again under an operation id that has taken effect, they tell so
  as ever. All other acts run: work that is there is matched, ends and leaves, and clocks stay true.
* At ``HARD`` the timers that only tell (warnings, breaches, steps of a ladder) are put off by ``PUT_OFF_MS`` again and
  again. They fire afterwards, and say how late.
"""

from enum import IntEnum
from typing import Final

from router.store.acts import Act, Admit, Assign, Consult, Label, Note, Snooze, Transfer


class Level(IntEnum):
    """How short memory is."""

    FINE = 0
    SOFT = 1
    HARD = 2


LEVEL_LIFE_MS: Final = 10_000
PUT_OFF_MS: Final = 10_000
LATE_MS: Final = 1_000
"""A timer that is served so much after its time is marked as late: nobody was there to serve it."""
PUT_OFF: Final = ("warn.", "breach.", "step|")
"""How the timers of cases begin that wait at ``HARD``."""

YIELDING: Final[frozenset[type[Act]]] = frozenset({Admit, Assign, Transfer, Consult, Note, Label, Snooze})


def late_reason(late_ms: int, *, put_off: bool = False) -> str:
    """What the event of a timer says that comes late; ``put_off`` for lack of memory."""
    return f"late by {late_ms} ms" + (": memory was short" if put_off else "")
