import asyncio
import subprocess
import sys
import threading

import pytest
from prometheus_client import CollectorRegistry

from router.runtime.clock import ManualClock
from router.runtime.errors import ProcessStuck
from router.runtime.metrics import RuntimeMetrics
from router.runtime.watchdog import EXIT_BLOCKED, LoopWatch, Onlooker, Watchdog
from router.runtime.watches import ConsumerWatch
from tests.suites.eventually import eventually


def _metrics() -> tuple[CollectorRegistry, RuntimeMetrics]:
    registry = CollectorRegistry()
    return registry, RuntimeMetrics(registry, version="", mode="")


def _watchdog(clock: ManualClock) -> Watchdog:
    return Watchdog(clock, LoopWatch(_metrics()[1], blocked_s=30), poll_age_s=60)


async def test_a_blocked_loop_is_seen_from_outside_with_the_place_it_hangs_in() -> None:
    registry, metrics = _metrics()
    seen: list[str] = []
    blocked = threading.Event()

    def on_blocked(reason: str) -> None:
        seen.append(reason)
        blocked.set()

    watch = LoopWatch(metrics, blocked_s=0.05, on_blocked=on_blocked, beat_s=0.001)
    task = asyncio.create_task(watch.run())
    await asyncio.sleep(0)

    def hang_here() -> bool:
        # Holds the loop until the thread has noticed.
        return blocked.wait(30)

    assert hang_here()
    assert "the event loop has hung for" in seen[0]
    assert "hang_here" in seen[0]
    await eventually(lambda: bool(registry.get_sample_value("turnout_loop_lag_seconds_count")))
    assert (registry.get_sample_value("turnout_loop_lag_seconds_sum") or 0) > 0.04
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert len(seen) == 1


_PROGRAM = """
import asyncio, re, threading
from prometheus_client import CollectorRegistry
from router.runtime.metrics import RuntimeMetrics
from router.runtime.watchdog import LoopWatch

async def main(blocked_s, seized_s, hang):
    metrics = RuntimeMetrics(CollectorRegistry(), version="", mode="")
    watch = LoopWatch(metrics, blocked_s=blocked_s, seized_s=seized_s)
    task = asyncio.create_task(watch.run())
    await asyncio.sleep(0)
    hang()
"""


@pytest.mark.parametrize(
    ("call", "code", "said"),
    [
        ("0.2, 60, lambda: threading.Event().wait(60)", EXIT_BLOCKED, "the event loop has hung for"),
        ("60, 0.5, lambda: re.match('(a+)+$', 'a' * 60 + 'b')", 1, "Timeout"),
    ],
    ids=["waits", "never lets go of the interpreter"],
)
def test_a_process_whose_loop_hangs_ends_itself_and_says_where(call: str, code: int, said: str) -> None:
    program = [sys.executable, "-c", f"{_PROGRAM}\nasyncio.run(main({call}))"]
    ended = subprocess.run(program, timeout=60, capture_output=True, text=True, check=False)
    assert ended.returncode == code
    assert said in ended.stderr
    assert "main" in ended.stderr


@pytest.mark.parametrize(
    ("looks_s", "beaten_at_s", "hung_s"),
    [
        ((1, 2, 3, 4), 4, 0),
        ((1, 2, 3, 4), 1, 3),
        ((1, 100), 1, 0),
        ((1, 100, 101, 103), 1, 3),
        ((1, 100, 101, 103), 102, 1),
    ],
    ids=["beats", "hangs", "was stopped", "hangs after a stop", "beats after a stop"],
)
def test_the_time_in_which_the_whole_process_was_stopped_does_not_count(
    looks_s: tuple[float, ...], beaten_at_s: float, hung_s: float
) -> None:
    onlooker = Onlooker(0, gap_s=5)
    assert [onlooker.hung_s(now_s, beaten_at_s) for now_s in looks_s][-1] == hung_s


async def test_a_consumer_that_does_not_poll_is_stuck() -> None:
    clock = ManualClock()
    watch = ConsumerWatch("inquiries", clock, limit_s=60)
    await clock.advance_ms(60_000)
    assert watch.problem() is None
    await clock.advance_ms(1)
    assert watch.problem() == "the consumer inquiries has not polled for 60 s"
    watch.polled(1)
    assert watch.problem() is None


async def test_a_consumer_that_gets_nothing_although_there_is_something_is_stuck() -> None:
    clock = ManualClock()
    watch = ConsumerWatch("inquiries", clock, limit_s=60)
    for _ in range(61):
        await clock.advance_ms(1000)
        watch.polled(0)
    assert watch.problem() == "the consumer inquiries gets no records for 61 s although there are some"
    watch.idle()
    assert watch.problem() is None


async def test_a_stuck_consumer_ends_the_watchdog_with_the_reason() -> None:
    clock = ManualClock()
    watchdog = _watchdog(clock)
    watch = watchdog.consumer("inquiries")
    task = asyncio.create_task(watchdog.run())
    await clock.asleep()
    await clock.advance_ms(59_000)
    watch.polled(1)
    await clock.advance_ms(60_000)
    assert not task.done()
    await clock.advance_ms(2_000)
    assert watchdog.problem() == "the consumer inquiries has not polled for 62 s"
    with pytest.raises(ProcessStuck, match="inquiries has not polled for 61 s"):
        await task


async def test_a_consumer_closed_on_purpose_is_forgotten() -> None:
    clock = ManualClock()
    watchdog = _watchdog(clock)
    first = watchdog.consumer("inquiries")
    second = watchdog.consumer("inquiries")
    watchdog.forget(first)
    await clock.advance_ms(61_000)
    assert watchdog.problem() is not None
    watchdog.forget(second)
    watchdog.forget(second)
    assert watchdog.problem() is None


async def test_a_loop_that_was_late_shows_in_livez() -> None:
    watchdog = Watchdog(ManualClock(), LoopWatch(_metrics()[1], blocked_s=30), poll_age_s=60, alive_s=0.0)
    assert (watchdog.problem() or "").startswith("the event loop was late by")


async def test_the_time_in_which_the_whole_process_stood_still_is_excused() -> None:
    clock = ManualClock()
    watchdog = _watchdog(clock)
    watch = watchdog.consumer("inquiries")
    watch.begun()
    watchdog.add("relay", lambda: "the relay has not moved" if clock.monotonic() > 60 else None)
    task = asyncio.create_task(watchdog.run())
    await clock.asleep()
    clock._now_ms += 100_000  # stopped by a signal: nothing of it was woken on the way
    await clock.advance_ms(1_000)
    assert not task.done()
    await clock.advance_ms(10_000)
    with pytest.raises(ProcessStuck, match="the relay has not moved"):
        await task


async def test_what_is_stuck_beside_consumers_ends_the_process_too() -> None:
    clock = ManualClock()
    watchdog = _watchdog(clock)
    watchdog.add("relay", lambda: None)
    task = asyncio.create_task(watchdog.run())
    await clock.advance_ms(30_000)
    watchdog.add("other relay", lambda: "the relay has not moved for 61 s")
    assert watchdog.problem() == "the relay has not moved for 61 s"
    await clock.advance_ms(1_000)
    with pytest.raises(ProcessStuck, match="the relay has not moved"):
        await task


@pytest.mark.parametrize("answers", [True, False])
@pytest.mark.parametrize("part", ["publisher", "consumer"])
async def test_calls_that_fail_for_long_end_the_process_only_if_the_bus_answers_others(
    part: str, *, answers: bool
) -> None:
    clock, asked = ManualClock(), []
    watchdog = _watchdog(clock)
    watch = watchdog.publisher() if part == "publisher" else watchdog.consumer("inquiries")

    async def bus_answers() -> bool:
        asked.append(clock.monotonic())
        return answers

    watchdog.bus_answers = bus_answers
    task = asyncio.create_task(watchdog.run())
    for _ in range(200):
        watch.failed()
        await clock.advance_ms(1_000)
        if task.done():
            break
    if answers:
        what = "nothing could be published" if part == "publisher" else "the consumer inquiries can't read"
        with pytest.raises(ProcessStuck, match=f"{what} for 121 s, although the bus answers others"):
            await task
        assert len(asked) == 2  # whoever comes back with the bus has had his time
    else:
        assert not task.done()
        assert 2 <= len(asked) <= 4  # asked once in a while, not every second
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_whoever_comes_back_after_the_bus_is_not_broken() -> None:
    clock = ManualClock()
    watchdog = _watchdog(clock)
    watch, asked = watchdog.consumer("inquiries"), []

    async def bus_answers() -> bool:
        asked.append(clock.monotonic())
        return True

    watchdog.bus_answers = bus_answers
    task = asyncio.create_task(watchdog.run())
    for _ in range(4):
        for _ in range(90):
            watch.failed()
            await clock.advance_ms(1_000)
        watch.succeeded()
        watch.polled(1)
        await clock.advance_ms(2_000)
    assert len(asked) == 4
    assert not task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_failure_now_and_then_is_none_for_long() -> None:
    clock = ManualClock()
    watch = ConsumerWatch("inquiries", clock, limit_s=60)
    for _ in range(20):
        watch.failed()
        await clock.advance_ms(20_000)
        watch.succeeded()
    assert watch.failing() is None
    watch.failed()
    await clock.advance_ms(120_000)
    assert watch.failing() is None  # nothing has been tried since
