"""One advisor, many who wait, and routers that are slow to reach the store: whatever is forgotten stays forgotten."""

import asyncio
from random import Random
from typing import Final

from tests.suites.fault_plant import ROUTERS, Plant
from tests.suites.fault_proxy import Bite
from tests.suites.fault_scenes import Fault, Findings, pass_s

SERVED: Final = "served by one alone"
_DELAY_S: Final = 0.15
_ALONE_S: Final = 25.0


async def alone(place: Plant, random: Random, _: Findings) -> None:
    """He has done with a case while routers still look for another for him: nobody else makes them look again."""
    _lone, *others = random.sample(place.workers, len(place.workers))
    await asyncio.gather(*(worker.ask("presence", presence="away") for worker in others))
    before = place.watch.seen["resolved"]
    for name in ROUTERS:
        place.parts[name].store.delay(_DELAY_S)
    await pass_s(_ALONE_S)
    place.heal()
    place.bites[SERVED] += place.watch.seen["resolved"] - before
    await asyncio.gather(*(worker.ask("presence", presence="online") for worker in others))


LONE_FAULTS: Final = (
    Fault(
        name="one advisor, slow routers",
        strike=alone,
        wants=(SERVED, f"store: {Bite.DELAYED}"),
        wait_bound_ms=60_000,
    ),
)
