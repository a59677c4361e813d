"""How long a relay pauses between tries, and whom it takes for silent."""

import asyncio

import pytest

from router.runtime.clock import ManualClock
from router.service.relaying.sending import FIRST_MS, MOST_MS, Patience
from router.service.relaying.turn import Onlooker
from router.store.protocol import RelayLease


async def pauses(patience: Patience, clock: ManualClock, count: int) -> list[int]:
    found = []
    for _ in range(count):
        began_ms = clock.now_ms()
        pausing = asyncio.create_task(patience.pause())
        while not pausing.done():
            await clock.advance_ms(1 if clock.now_ms() - began_ms < FIRST_MS else 50)
        assert await pausing
        found.append(clock.now_ms() - began_ms)
    return found


async def test_pauses_grow_up_to_a_bound_and_begin_anew_after_a_success() -> None:
    clock = ManualClock()
    patience = Patience(clock, asyncio.Event())
    spans = await pauses(patience, clock, 10)
    bounds_ms = [min(FIRST_MS * 2**n, MOST_MS) for n in range(10)]
    assert all(bound / 2 <= span <= bound + 50 for span, bound in zip(spans, bounds_ms, strict=True)), spans
    patience.reset()
    assert (await pauses(patience, clock, 1))[0] <= FIRST_MS + 1


async def test_a_pause_ends_when_told_to_stop() -> None:
    stopping = asyncio.Event()
    pausing = asyncio.create_task(Patience(ManualClock(), stopping).pause())
    await asyncio.sleep(0)
    stopping.set()
    assert not await asyncio.wait_for(pausing, 10)


def lease(*, epoch: int = 1, beat: int = 0, gen: int = 1) -> RelayLease:
    return RelayLease(gen=gen, epoch=epoch, beat=beat, held=True, trimmed=0, number=0)


@pytest.mark.parametrize(
    ("looks", "silent_s"),
    [
        ([(0.0, lease())], 0.0),
        ([(0.0, lease()), (1.0, lease()), (2.0, lease())], 2.0),
        ([(0.0, lease()), (1.0, lease()), (2.0, lease(beat=1))], 0.0),
        ([(0.0, lease()), (1.0, lease(epoch=2)), (2.0, lease(epoch=2))], 1.0),
        ([(0.0, lease()), (1.0, lease(gen=2))], 0.0),
        # This process itself stood still for a minute: the owner may have, too.
        ([(0.0, lease()), (60.0, lease()), (61.0, lease())], 3.0),
    ],
)
def test_how_long_an_owner_has_been_silent(looks: list[tuple[float, RelayLease]], silent_s: float) -> None:
    onlooker = Onlooker(look_s=1.0)
    for now_s, seen in looks:
        onlooker.look(seen, now_s)
    assert onlooker.silent_s == silent_s
