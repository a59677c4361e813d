import asyncio
import logging
import os
import signal
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from router.runtime.errors import BusUnavailable, ProcessStuck, StartFailed, TaskDied
from router.runtime.lifecycle import Lifecycle


class Parts:
    """Writes down the order in which parts open and close."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    async def up(self, name: str) -> str:
        self.seen.append(f"+{name}")
        return name

    async def down(self, name: str, _left_s: float) -> None:
        self.seen.append(f"-{name}")


async def _fail(error: Exception) -> None:
    raise error


async def _for_ever() -> None:
    await asyncio.Event().wait()


async def test_parts_close_in_reverse_order_of_opening() -> None:
    parts = Parts()
    async with Lifecycle(stop_s=5) as life:
        for name in ("bus", "store", "http"):
            assert await life.open(name, parts.up(name), parts.down) == name
        life.request_stop("test")
        life.request_stop("again")
        await life.stopped()
    assert parts.seen == ["+bus", "+store", "+http", "-http", "-store", "-bus"]


async def test_a_part_that_fails_to_start_is_named_and_the_others_are_closed() -> None:
    parts = Parts()

    async def run() -> None:
        async with Lifecycle(stop_s=5) as life:
            await life.open("bus", parts.up("bus"), parts.down)
            await life.open("store", _fail(BusUnavailable("no broker")))

    with pytest.raises(StartFailed, match="store could not be started: no broker") as caught:
        await run()
    assert isinstance(caught.value.__cause__, BusUnavailable)
    assert parts.seen == ["+bus", "-bus"]


async def test_a_part_that_does_not_come_up_in_time_is_cancelled() -> None:
    cancelled = asyncio.Event()

    async def slow() -> None:
        try:
            await _for_ever()
        finally:
            cancelled.set()

    with pytest.raises(StartFailed, match=r"slow was not up within 0\.01 s"):
        async with Lifecycle(stop_s=5) as life:
            await life.open("slow", slow(), within_s=0.01)
    assert cancelled.is_set()


async def test_a_stop_during_the_start_is_no_failure() -> None:
    parts = Parts()
    async with Lifecycle(stop_s=5) as life:
        await life.open("bus", parts.up("bus"), parts.down)
        asyncio.get_running_loop().call_soon(life.request_stop, "SIGTERM")
        await life.open("slow", _for_ever())
        parts.seen.append("never")
    assert parts.seen == ["+bus", "-bus"]


@pytest.mark.parametrize("work", [lambda: _fail(ValueError("broken")), lambda: asyncio.sleep(0)], ids=["error", "end"])
async def test_a_task_that_dies_stops_the_service_with_its_error(
    work: Callable[[], Coroutine[Any, Any, None]],
) -> None:
    parts = Parts()

    async def run() -> None:
        async with Lifecycle(stop_s=5) as life:
            await life.open("bus", parts.up("bus"), parts.down)
            life.spawn("matcher", work())
            await life.stopped()

    with pytest.raises(TaskDied, match="the task 'matcher' ended"):
        await run()
    assert parts.seen == ["+bus", "-bus"]


async def test_the_first_failure_is_the_one_raised() -> None:
    life = Lifecycle(stop_s=5)
    life.fail(ProcessStuck("first"))
    life.fail(ProcessStuck("second"))
    with pytest.raises(ProcessStuck, match="first"):
        await life.__aexit__(None, None, None)


async def test_a_task_stops_at_its_turn_before_what_it_was_given() -> None:
    parts = Parts()

    async def work() -> None:
        try:
            await _for_ever()
        finally:
            parts.seen.append("-task")

    async with Lifecycle(stop_s=5) as life:
        await life.open("bus", parts.up("bus"), parts.down)
        life.spawn("task", work())
        await asyncio.sleep(0)
    assert parts.seen == ["+bus", "-task", "-bus"]


async def test_a_task_that_is_asked_may_finish_its_work() -> None:
    asked = asyncio.Event()
    done: list[str] = []

    async def work() -> None:
        await asked.wait()
        await asyncio.sleep(0)
        done.append("finished")

    async with Lifecycle(stop_s=5) as life:
        life.spawn("task", work(), ask=asked.set)
    assert done == ["finished"]


async def test_a_part_that_hangs_or_fails_does_not_keep_the_next_from_closing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    parts = Parts()
    caplog.set_level(logging.INFO, "router.runtime.lifecycle")

    async def hang(_part: str, _left_s: float) -> None:
        await _for_ever()

    async def fail(_part: str, _left_s: float) -> None:
        raise ValueError("broken")

    loop = asyncio.get_running_loop()
    async with Lifecycle(stop_s=0.01) as life:
        await life.open("bus", parts.up("bus"), parts.down)
        await life.open("hanging", parts.up("hanging"), hang)
        await life.open("failing", parts.up("failing"), fail)
        began_s = loop.time()
    assert loop.time() - began_s < 5
    assert parts.seen[-1] == "-bus"
    events = {(record.__dict__["event"], record.__dict__.get("part")) for record in caplog.records}
    assert {("stop.late", "hanging"), ("stop.error", "failing"), ("stop.part", "bus")} <= events


async def test_an_error_of_the_body_is_raised_after_closing() -> None:
    parts = Parts()

    async def run() -> None:
        async with Lifecycle(stop_s=5) as life:
            await life.open("bus", parts.up("bus"), parts.down)
            raise KeyError

    with pytest.raises(KeyError):
        await run()
    assert parts.seen == ["+bus", "-bus"]


async def test_signals_stop_and_reload() -> None:
    reloaded = asyncio.Event()
    loop = asyncio.get_running_loop()
    try:
        async with Lifecycle(stop_s=5) as life:
            life.handle_signals(reloaded.set)
            os.kill(os.getpid(), signal.SIGHUP)
            await asyncio.wait_for(reloaded.wait(), 5)
            assert not life.stopping.is_set()
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.wait_for(life.stopped(), 5)
    finally:
        for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
