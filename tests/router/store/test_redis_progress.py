"""Progress: how those who wait for a number share one read. The read is ours, so its answers come when told."""

import asyncio

import pytest

from router.store.redis.progress import Progress

LONG_S = 20.0


class Told:
    """A read that answers what the test puts in, and counts how often it was asked."""

    def __init__(self) -> None:
        self.answers: asyncio.Queue[int | Exception] = asyncio.Queue()
        self.asked: list[int] = []

    async def __call__(self, number: int) -> int:
        self.asked.append(number)
        answer = await self.answers.get()
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def told() -> Told:
    return Told()


async def waiting(progress: Progress, *afters: int, known: int = 0) -> list["asyncio.Task[int]"]:
    tasks = [asyncio.create_task(progress.beyond(after, known=known, wait_s=LONG_S)) for after in afters]
    for _ in range(3):
        await asyncio.sleep(0)
    return tasks


async def test_what_is_known_already_is_told_at_once(told: Told) -> None:
    assert await Progress(told).beyond(3, known=4, wait_s=LONG_S) == 4
    assert told.asked == []


async def test_each_is_woken_when_his_number_has_come(told: Told) -> None:
    progress = Progress(told)
    early, late = await waiting(progress, 0, 5)
    told.answers.put_nowait(2)
    assert await early == 2
    assert not late.done()
    told.answers.put_nowait(6)
    assert await late == 6
    assert told.asked == [0, 2]


async def test_all_who_wait_share_one_read(told: Told) -> None:
    tasks = await waiting(Progress(told), *range(50))
    assert len(told.asked) == 1
    told.answers.put_nowait(50)
    assert set(await asyncio.gather(*tasks)) == {50}


async def test_who_comes_late_learns_what_the_running_read_has_found(told: Told) -> None:
    progress = Progress(told)
    first, last = await waiting(progress, 0, 9)
    told.answers.put_nowait(4)
    await first
    assert await progress.beyond(3, known=2, wait_s=LONG_S) == 4
    told.answers.put_nowait(10)
    assert await last == 10


async def test_a_lost_store_takes_the_number_back(told: Told) -> None:
    progress = Progress(told)
    (waiter,) = await waiting(progress, 7, known=7)
    told.answers.put_nowait(0)
    told.answers.put_nowait(8)
    assert await waiter == 8
    assert told.asked == [7, 0]


async def test_a_failure_goes_to_all_and_the_next_begins_anew(told: Told) -> None:
    progress = Progress(told)
    tasks = await waiting(progress, 0, 1)
    told.answers.put_nowait(ConnectionError("gone"))
    ends = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(end, ConnectionError) for end in ends)
    (again,) = await waiting(progress, 0)
    told.answers.put_nowait(1)
    assert await again == 1


async def test_one_who_gives_up_leaves_the_others_waiting(told: Told) -> None:
    gone, left = await waiting(Progress(told), 0, 0)
    gone.cancel()
    told.answers.put_nowait(1)
    assert await left == 1
    assert gone.cancelled()


async def test_the_time_over_tells_how_far_it_is(told: Told) -> None:
    assert await Progress(told).beyond(5, known=3, wait_s=0.01) == 3


async def test_closing_ends_the_read(told: Told) -> None:
    progress = Progress(told)
    (waiter,) = await waiting(progress, 0)
    await progress.close()
    waiter.cancel()
    told.answers.put_nowait(1)
    await asyncio.sleep(0)
    assert told.answers.qsize() == 1
