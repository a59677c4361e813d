"""One advisor, many who wait, and routers that are slow to reach the store: whatever is forgotten stays forgotten."""

import asyncio
from random import Random
from typing import Final

from tests.suites.crowd_advisor import Frame
from tests.suites.faults.people import RecordedWorker
from tests.suites.faults.plant import ONE_AT_A_TIME, ROUTERS, Plant
from tests.suites.faults.proxy import Bite
from tests.suites.faults.scenes import Fault, Findings, pass_s
from tests.suites.faults.sessions import at_offers

SERVED: Final = "served by one alone"
_WAITING: Final = 12
_DELAY_S: Final = 0.15
_OLD_S: Final = 14.0
"""When the last step of a ladder is over: nothing that happens to those who wait makes anybody look again."""
_WITHIN_S: Final = 60.0
_THINKS_S: Final = (0.05, 1.0)


async def alone(place: Plant, random: Random, _: Findings) -> None:
    """He has done with a case while a router that found him full is about to say so: nobody else looks again.

    For that he has to take his time, or he would always be free by the time that a router looks."""
    thinking = set[asyncio.Task[None]]()

    async def think(worker: RecordedWorker, offer: Frame) -> None:
        await pass_s(random.uniform(*_THINKS_S))
        worker.goes_for(offer)

    def takes_his_time(worker: RecordedWorker, offer: Frame) -> bool:
        thinking.add(asyncio.create_task(think(worker, offer), name=f"{worker.name} thinks"))
        return True

    before = place.watch.seen["resolved"]
    await asyncio.gather(*(worker.ask("presence", presence="away") for worker in place.workers))
    name = f"waiting-{random.randint(0, 999)}"
    said = [place.writers.say(f"{name}-{at}", f"{name}-{at}-a", "hello") for at in range(_WAITING)]
    talks = await asyncio.gather(*said)
    await pass_s(_OLD_S)
    for router in ROUTERS:
        place.parts[router].store.delay(_DELAY_S)
    lone = next(worker for worker in place.workers if worker.name == ONE_AT_A_TIME)
    with at_offers([lone], takes_his_time):
        await lone.ask("presence", presence="online")
        await asyncio.wait_for(asyncio.gather(*(talk.heard.wait() for talk in talks)), _WITHIN_S)
    place.heal()
    place.bites[SERVED] += place.watch.seen["resolved"] - before
    await asyncio.gather(*thinking)
    await asyncio.gather(*(worker.ask("presence", presence="online") for worker in place.workers))


LONE_FAULTS: Final = (
    Fault(
        name="one advisor, slow routers",
        strike=alone,
        wants=(SERVED, f"store: {Bite.DELAYED}"),
        conversations=10,
        wait_bound_ms=90_000,
    ),
)
