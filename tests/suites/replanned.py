"""A change of policies or calendars under a stage's cases, and what is seen of it afterwards."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

from router.contract.case import CaseDetail, CaseState, read_detail
from router.service.replanning import Forecast, Replanner, forecast
from rules import Rulebook
from tests.suites.metrics import shown
from tests.suites.stage import RULES, Stage, rulebook

T = TypeVar("T")
CALENDAR: Final = "calendars: {office: {time_zone: UTC, week: {daily: ['00:00-12:00']}%s}}\n"


def promising(first_s: int, *, more: str = "") -> Rulebook:
    return rulebook(RULES.replace("first_response_s: 3600", f"first_response_s: {first_s}{more}"))


def replanner(scene: Stage) -> Replanner:
    return Replanner(
        scene.actor, scene.store, scene.store, policies=scene.policies, clock=scene.clock, metrics=scene.metrics
    )


async def through(scene: Stage, work: Coroutine[Any, Any, T]) -> T:
    """Let time pass while it rests between batches."""
    task = asyncio.create_task(work)
    while not task.done():
        await asyncio.sleep(0)
        await scene.clock.advance_ms(1)
    return task.result()


async def change(scene: Stage, book: Rulebook) -> None:
    scene.policies.activate(book)
    await through(scene, replanner(scene).look())


async def looked_at(scene: Stage, book: Rulebook) -> Forecast:
    return await forecast(scene.actor, scene.store, scene.store, scene.policies, against=book)


async def detail(scene: Stage) -> CaseDetail:
    return read_detail((await scene.case("c1")).detail)


async def fired(scene: Stage, clock: str = "first_response") -> list[str]:
    entries = await scene.store.pending(scene.actor.pool, 0, limit=1_000)
    return [entry.about for entry in entries if entry.kind == "due" and clock in entry.about]


def due(state: CaseState) -> int | None:
    return read_detail(state.detail).clocks["first_response"].due_at_ms


async def replanned(scene: Stage) -> int:
    return round(shown(scene.registry, "turnout_replanned_cases_total").get("moved", 0))
