"""How long a relay pauses between tries, and whom it takes for silent."""

import asyncio

import pytest

from router.runtime.clock import ManualClock
from router.service.relaying.sending import FIRST_MS, MOST_MS, Patience
from router.service.relaying.turn import Onlooker
from router.store.protocol import RelayLease


class Noting(ManualClock):
    """A clock on which every wait is over at once, and which notes how long it was to be."""

    def __init__(self) -> None:
        super().__init__()
        self.waited_ms: list[float] = []

    async def wait(self, event: asyncio.Event, timeout_s: float) -> bool:
        self.waited_ms.append(timeout_s * 1000)
        return event.is_set()


async def test_pauses_grow_up_to_a_bound_and_begin_anew_after_a_success() -> None:
    clock = Noting()
    patience = Patience(clock, asyncio.Event())
    for _ in range(10):
        assert await patience.pause()
    bounds_ms = [min(FIRST_MS * 2**n, MOST_MS) for n in range(10)]
    spans = zip(clock.waited_ms, bounds_ms, strict=True)
    assert all(bound / 2 <= span <= bound for span, bound in spans), clock.waited_ms
    patience.reset()
    await patience.pause()
    assert clock.waited_ms[-1] <= FIRST_MS


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
