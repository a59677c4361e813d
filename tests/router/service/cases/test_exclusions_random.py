"""Random days of an office in which customers ask for somebody else: nobody excluded ever gets a case."""

import random
from typing import Final

import pytest
from msgspec.structs import replace

from router.contract import topics
from router.contract.case import CaseStatus
from router.contract.codec import Decoder
from router.contract.events import CaseEvent, EventType
from router.contract.ids import CaseId
from router.engine.exclusions import Wish
from router.runtime.bus.memory import MemoryBus
from tests.suites.faults.excluded import excluded
from tests.suites.rebuild_stage import ALL_TOPICS, PEOPLE, RandomDay, RebuildStage, rebuild_stage
from tests.suites.stage import POOL

_EVENT: Final = Decoder(CaseEvent)


async def _excluded_by_hand(lossy: RebuildStage, dice: random.Random) -> None:
    """Somebody is kept from some case, or no longer."""
    found = [await lossy.scene.store.case(POOL, CaseId(name)) for name in dice.sample(lossy.cases, len(lossy.cases))]
    states = [state for state in found if state is not None and state.state is not CaseStatus.RESOLVED]
    resting = [state for state in states if state.state is CaseStatus.PENDING]
    if not states:
        return
    state = (resting or states)[0] if dice.random() < 0.5 else states[0]
    names = tuple(dice.sample(PEOPLE, dice.randrange(2)))
    lift = tuple(name for name in PEOPLE if name not in names and dice.random() < 0.5)
    request = replace(lossy.scene.request(), wish=Wish(names, dice.random() < 0.3))
    await lossy.scene.casework.excluding.change(state.id, request, lift=lift)


@pytest.mark.parametrize("seed", range(3))
async def test_nobody_excluded_ever_gets_a_case(seed: int) -> None:
    bus, dice = MemoryBus(), random.Random(seed)
    await bus.create_topics(ALL_TOPICS)
    async with rebuild_stage(bus) as lossy:
        day = RandomDay(lossy, seed)
        await day.open()
        for _ in range(70):
            await day.run(2)
            if lossy.cases:
                await _excluded_by_hand(lossy, dice)
                await lossy.scene.settle()
        await lossy.relay()
        events = [_EVENT.decode(record.value, CaseEvent) async for record in bus.history(topics.EVENTS) if record.value]
        told = sorted(events, key=lambda event: event.number)
        assert list(excluded(told)) == []
        with_some = [event for event in told if event.case.excluded]
        assert {EventType.REJUDGE, EventType.REQUEUE, EventType.MATCH} <= {event.type for event in with_some}
        assert any(said.lifted for event in with_some for said in event.case.exclusions)
