"""Riding out: a loop that a store in trouble has ended begins again."""

import logging
from collections.abc import Awaitable, Callable
from typing import Final

from router.runtime.clock import Clock
from router.runtime.errors import StoreUnavailable
from router.service.errors import Contended

LOG = logging.getLogger(__name__)
_PAUSE_MS: Final = 500


async def ride_out(run: Callable[[], Awaitable[object]], name: str, *, clock: Clock) -> None:
    """Run a loop, and run it again half a second after a failure that may pass (``StoreUnavailable``, ``Contended``);
    any other ends it. The loop must be one that can begin anew at any time."""
    while True:
        try:
            await run()
        except (StoreUnavailable, Contended) as exc:
            LOG.warning("%s begins again: %s", name, exc, extra={"event": "loop.again", "loop": name})
            await clock.sleep_until_ms(clock.now_ms() + _PAUSE_MS)
        else:
            return
