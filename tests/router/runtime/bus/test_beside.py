"""Work beside a loop: never two at a time, failures told at the next look."""

import asyncio

import pytest

from router.runtime.bus.beside import Beside
from tests.suites.eventually import eventually


class Work:
    """Ends when told."""

    def __init__(self) -> None:
        self.runs: list[asyncio.Future[None]] = []

    async def __call__(self) -> None:
        self.runs.append(asyncio.get_running_loop().create_future())
        await self.runs[-1]


async def _look(beside: Beside) -> None:
    beside.look()
    await asyncio.sleep(0)


async def test_one_is_under_way_at_a_time() -> None:
    work = Work()
    beside = Beside(work, every_s=0.0, name="work")
    for _ in range(3):
        await _look(beside)
    assert len(work.runs) == 1
    work.runs[0].set_result(None)
    await beside.end(5)
    await _look(beside)
    assert len(work.runs) == 2
    await beside.stop()


async def test_it_rests_after_a_success_and_not_after_a_failure() -> None:
    work = Work()
    beside = Beside(work, every_s=3600.0, name="work")
    await _look(beside)
    work.runs[0].set_exception(OSError("away"))
    await beside.end(5)
    with pytest.raises(OSError, match="away"):
        beside.look()
    await _look(beside)
    assert len(work.runs) == 2
    work.runs[1].set_result(None)
    await beside.end(5)
    await _look(beside)
    assert len(work.runs) == 2


async def test_one_that_does_not_end_is_cut_off() -> None:
    work = Work()
    beside = Beside(work, every_s=0.0, name="work")
    await beside.end(0)  # nothing is under way
    await _look(beside)
    await beside.end(0)
    assert work.runs[0].cancelled()
    await beside.stop()
    await eventually(lambda: _looks(beside, work) == 2)
    await beside.stop()


def _looks(beside: Beside, work: Work) -> int:
    beside.look()
    return len(work.runs)
