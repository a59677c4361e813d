import asyncio
import time

import pytest

from router.runtime.clock import Clock, ManualClock, SystemClock


async def test_system_time_starts_at_wall_time_and_never_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SystemClock()
    assert abs(clock.now_ms() - time.time() * 1000) < 1000
    before_ms = clock.now_ms()
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert before_ms <= clock.now_ms() < before_ms + 5000


async def test_a_system_sleep_is_never_early() -> None:
    clock = SystemClock()
    for span_ms in (0, 1, 3, 7):
        deadline_ms = clock.now_ms() + span_ms
        await clock.sleep_until_ms(deadline_ms)
        assert clock.now_ms() >= deadline_ms


async def test_a_system_wait_ends_with_the_event_or_with_the_time() -> None:
    clock = SystemClock()
    event = asyncio.Event()
    assert not await clock.wait(event, 0.001)
    asyncio.get_running_loop().call_soon(event.set)
    assert await clock.wait(event, 60)


async def test_manual_time_stands_still() -> None:
    clock = ManualClock(1000)
    assert (clock.now_ms(), clock.monotonic()) == (1000, 0)
    await clock.advance_ms(1500)
    assert (clock.now_ms(), clock.monotonic()) == (2500, 1.5)


async def test_sleepers_wake_in_the_order_of_their_deadlines_and_see_them() -> None:
    clock = ManualClock(0)
    seen: list[tuple[str, int]] = []

    async def sleeper(name: str, *deadlines_ms: int) -> None:
        for deadline_ms in deadlines_ms:
            await clock.sleep_until_ms(deadline_ms)
            seen.append((name, clock.now_ms()))

    tasks = [
        asyncio.create_task(sleeper("late", 30)),
        asyncio.create_task(sleeper("twice", 10, 20)),
        asyncio.create_task(sleeper("never", 41)),
    ]
    await clock.asleep(3)
    await clock.advance_ms(40)
    assert seen == [("twice", 10), ("twice", 20), ("late", 30)]
    tasks[2].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_past_deadline_returns_at_once() -> None:
    clock = ManualClock(100)
    await clock.sleep_until_ms(100)
    assert clock.now_ms() == 100


async def test_a_manual_wait_ends_with_the_event_or_with_the_time() -> None:
    clock = ManualClock()
    event = asyncio.Event()
    waits = [asyncio.create_task(clock.wait(event, 5)), asyncio.create_task(clock.wait(event, 9))]
    await clock.asleep(2)
    await clock.advance_ms(5000)
    assert waits[0].done()
    assert not waits[0].result()
    event.set()
    assert await waits[1]
    assert await clock.wait(event, 5)


async def test_a_cancelled_sleeper_does_not_count_as_asleep() -> None:
    clock = ManualClock()
    task = asyncio.create_task(clock.sleep_until_ms(clock.now_ms() + 1))
    await clock.asleep()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(clock.asleep(), 0.01)
    await clock.advance_ms(10)


async def test_both_are_clocks() -> None:
    clocks: list[Clock] = [SystemClock(), ManualClock()]
    for clock in clocks:
        assert clock.now_ms() > 0
