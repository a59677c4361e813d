"""Shares between queues, through intake, store and matcher: on the store in memory and on a server."""

from collections import Counter

import pytest

from router.engine.explain import read_explanation
from router.service.matching.line_lengths import COUNTED_FOR_MS
from tests.servers import Server
from tests.suites.server_stage import stage_on
from tests.suites.stage import POOL, RULES, Stage, rulebook, stage

SHARED = f"{RULES}shares: {{queues: {{general: 1, billing: 3}}}}\n"


async def _filled(scene: Stage, general: int, billing: int) -> None:
    for number in range(general):
        await scene.write(f"g{number}")
    for number in range(billing):
        await scene.write(f"b{number}", "an invoice")


async def _taken_up(scene: Stage, count: int) -> list[str]:
    """Which cases mina has, one after the other."""
    taken = []
    for _ in range(count):
        state = await scene.store.advisor(POOL, "mina")  # type: ignore[arg-type]  # by name
        assert state is not None
        (case,) = state.work
        taken.append(case)
        await scene.accept(case)
        await scene.resolve(case)
        await scene.settle()
    return taken


async def test_the_lines_come_to_the_ratio_of_the_shares_though_they_are_counted_once() -> None:
    async with stage(rulebook(SHARED)) as scene:
        await _filled(scene, 12, 12)
        await scene.hire("mina", budget=10, skills={"billing": 5})
        taken = await _taken_up(scene, 8)
        assert Counter(case[0] for case in taken) == {"g": 8}  # 4 beside 12: as 1 to 3
        assert Counter(case[0] for case in await _taken_up(scene, 8)) == {"g": 2, "b": 6}


async def test_the_lines_come_to_that_ratio_on_a_server(redis_server: Server) -> None:
    async with stage_on(redis_server, rulebook(SHARED)) as scene:
        await _filled(scene, 6, 6)
        await scene.hire("mina", budget=10, skills={"billing": 5})
        assert Counter(case[0] for case in await _taken_up(scene, 8)) == {"g": 5, "b": 3}


async def test_the_record_says_how_the_queues_stood() -> None:
    async with stage(rulebook(SHARED)) as scene:
        await _filled(scene, 2, 2)
        await scene.hire("mina", budget=10, skills={"billing": 5})
        explanation = read_explanation((await scene.case("g0")).why)
        assert explanation is not None
        term = explanation.heads[0].share
        assert term is not None
        assert (term.queue, term.target, term.length, term.total) == ("general", 0.25, 2, 4)


async def test_lines_are_counted_now_and_then_and_only_where_queues_have_shares(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    counted = Counter[str]()
    for name, text in (("shared", SHARED), ("plain", RULES)):
        async with stage(rulebook(text)) as scene:
            sizes = scene.store.line_sizes

            async def count(pool: object, name: str = name, sizes: object = sizes) -> object:
                counted[name] += 1
                return await sizes(pool)  # type: ignore[operator]  # as it was

            monkeypatch.setattr(scene.store, "line_sizes", count)
            await _filled(scene, 4, 4)
            await scene.hire("mina", budget=10, skills={"billing": 5})
            await _taken_up(scene, 4)
            assert counted[name] == (name == "shared")
            await scene.pass_s(COUNTED_FOR_MS / 1000)
            await _taken_up(scene, 2)
            assert counted[name] == 2 * (name == "shared")
