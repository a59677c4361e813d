"""Whether the bus answers others: asked by fresh connections, when those of this process have failed for long."""

import asyncio
import logging
from typing import Final

from router.contract.topics import CONFIG
from router.runtime.bus.choice import make_bus
from router.runtime.bus.protocol import Outgoing
from router.runtime.errors import RuntimeFailure
from router.runtime.settings.model import Settings

LOG = logging.getLogger(__name__)
_WITHIN_S: Final = 20.0
# Taken away at once by compaction, as there is nothing that it takes away; no reader knows the key.
_PROBE: Final = Outgoing(topic=CONFIG, key="probe", value=None)


async def bus_answers(settings: Settings, store_url: str) -> bool:
    """Whether a record can be published by somebody new."""
    bus = make_bus(settings, store_url)
    try:
        async with asyncio.timeout(_WITHIN_S):
            await bus.publish([_PROBE])
    except (RuntimeFailure, TimeoutError) as exc:
        LOG.warning("the bus answers nobody: %s", exc, extra={"event": "watchdog.bus_away"})
        return False
    finally:
        await bus.close()
    return True
