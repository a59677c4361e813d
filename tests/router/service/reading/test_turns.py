"""One at a time, the least place first, whoever gives up."""

import asyncio

from router.service.reading.turns import Turns
from tests.suites.eventually import eventually


async def test_the_least_place_goes_first_and_nobody_beside_it() -> None:
    turns, order, at_work = Turns(), [], 0

    async def work(place: int) -> None:
        nonlocal at_work
        async with turns.one(place):
            at_work += 1
            assert at_work == 1
            await asyncio.sleep(0)
            order.append(place)
            at_work -= 1

    await asyncio.gather(*(work(place) for place in (5, 3, 9, 1)))
    assert order == [1, 3, 5, 9]


async def test_whoever_comes_back_at_once_is_not_overtaken() -> None:
    turns, order = Turns(), []

    async def lane(*places: int) -> None:
        for place in places:
            async with turns.one(place):
                order.append(place)

    await asyncio.gather(lane(0, 1, 2), lane(3), lane(4, 5))
    assert order == [0, 1, 2, 3, 4, 5]


async def test_those_who_give_up_hold_up_nobody() -> None:
    turns, order = Turns(), []
    leave = asyncio.Event()

    async def work(place: int) -> None:
        async with turns.one(place):
            order.append(place)
            await leave.wait()

    first = asyncio.create_task(work(0))
    waits, last = asyncio.create_task(work(1)), asyncio.create_task(work(2))
    await eventually(lambda: order == [0])
    waits.cancel()  # while it waits
    first.cancel()  # while it has the turn
    leave.set()
    await asyncio.gather(first, waits, last, return_exceptions=True)
    assert order == [0, 2]


async def test_a_turn_that_is_given_to_one_who_has_just_gone_is_passed_on() -> None:
    turns, order = Turns(), []

    async def work(place: int) -> None:
        async with turns.one(place):
            order.append(place)

    gone, next_one = asyncio.create_task(work(0)), asyncio.create_task(work(1))
    await asyncio.sleep(0)
    await asyncio.sleep(0)  # the turn is given, but its owner hasn't run yet
    gone.cancel()
    await asyncio.gather(gone, next_one, return_exceptions=True)
    assert order == [1]
