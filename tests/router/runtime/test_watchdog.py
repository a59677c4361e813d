import asyncio
import subprocess
import sys
import threading

import pytest
from prometheus_client import CollectorRegistry

from router.runtime.clock import ManualClock
from router.runtime.errors import ProcessStuck
from router.runtime.metrics import RuntimeMetrics
from router.runtime.watchdog import EXIT_BLOCKED, ConsumerWatch, LoopWatch, Watchdog
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


def test_a_process_whose_loop_hangs_ends_itself_with_a_code_and_the_reason() -> None:
    program = (
        "import asyncio, threading\n"
        "from prometheus_client import CollectorRegistry\n"
        "from router.runtime.metrics import RuntimeMetrics\n"
        "from router.runtime.watchdog import LoopWatch\n"
        "async def main():\n"
        "    metrics = RuntimeMetrics(CollectorRegistry(), version='', mode='')\n"
        "    task = asyncio.create_task(LoopWatch(metrics, blocked_s=0.1).run())\n"
        "    await asyncio.sleep(0)\n"
        "    threading.Event().wait(60)\n"
        "asyncio.run(main())\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], timeout=60, capture_output=True, text=True, check=False)
    assert ended.returncode == EXIT_BLOCKED
    assert "the event loop has hung for" in ended.stderr


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
