"""What the matcher decides by, and how often it asks for it."""

from collections.abc import Awaitable, Callable, Sequence

import pytest

from router.contract.advisor import Presence
from router.contract.case import CaseState
from router.contract.ids import CaseId, PoolId
from router.store.acts import AnyAct, Match, Outcome
from router.store.protocol import Head
from tests.suites.stage import POOL, Stage, stage


def watch_heads(scene: Stage, monkeypatch: pytest.MonkeyPatch, *after: Callable[[], Awaitable[object]]) -> list[int]:
    """How many heads each read has shown; after each of the first reads something happens."""
    heads, shown, happens = scene.store.heads, list[int](), list(after)

    async def watched(pool: PoolId) -> Sequence[Head]:
        found = await heads(pool)
        shown.append(len(found))
        if happens:
            await happens.pop(0)()
        return found

    monkeypatch.setattr(scene.store, "heads", watched)
    return shown


async def come(scene: Stage, *names: str) -> None:
    for name in names:
        await scene.presence(name, Presence.ONLINE)


async def test_while_nothing_waits_the_heads_are_read_once_for_all_items(monkeypatch: pytest.MonkeyPatch) -> None:
    async with stage() as scene:
        people = [f"advisor-{number}" for number in range(20)]
        for name in people:
            await scene.hire(name, presence=None)
        await come(scene, *people)
        shown = watch_heads(scene, monkeypatch)
        await scene.settle()
        assert shown == [0]
        await scene.nobody_waits_in_vain()


async def test_who_can_take_nothing_that_waits_costs_no_look_of_his_own(monkeypatch: pytest.MonkeyPatch) -> None:
    async with stage() as scene:
        people = [f"advisor-{number}" for number in range(20)]
        for name in people:
            await scene.hire(name, presence=None)
        await scene.write("c1", "the machine is broken")
        await scene.settle()
        await come(scene, *people)
        shown = watch_heads(scene, monkeypatch)
        await scene.settle()
        assert shown == [1]
        await scene.nobody_waits_in_vain()


async def test_nobody_is_given_a_case_by_heads_that_are_out_of_date(monkeypatch: pytest.MonkeyPatch) -> None:
    async with stage() as scene:
        await scene.hire("ada", presence=None)
        await scene.hire("ben", presence=None, budget=10, skills={"technical": 8})
        await scene.write("c1", "the machine is broken")
        await scene.settle()
        await come(scene, "ada", "ben")
        watch_heads(scene, monkeypatch, lambda: scene.write("c2", "the machine burns", labels=("urgent",)))
        await scene.settle()
        assert (await scene.holder("c1"), await scene.holder("c2")) == ("", "ben")
        await scene.nobody_waits_in_vain()


async def test_a_case_that_comes_after_the_look_finds_who_was_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    async with stage() as scene:
        await scene.hire("ben", presence=None, budget=10)
        await come(scene, "ben")
        shown = watch_heads(scene, monkeypatch, lambda: scene.write("c1"))
        await scene.settle()
        assert await scene.holder("c1") == "ben"
        assert shown == [0, 1]
        await scene.nobody_waits_in_vain()


async def test_who_was_served_is_free_for_intake_while_others_are_being_served(monkeypatch: pytest.MonkeyPatch) -> None:
    async with stage() as scene:
        await scene.hire("ada", presence=None)
        for name in ("ben", "cid"):
            await scene.hire(name, presence=None, budget=10, skills={"technical": 8})
        for name in ("c1", "c2"):
            await scene.write(name, "the machine is broken")
        await scene.settle()
        await come(scene, "ada", "ben", "cid")
        left: list[int] = []
        applied = scene.store.apply

        async def watched(acts: Sequence[AnyAct]) -> Sequence[Outcome]:
            left.extend([(await scene.store.status(POOL)).work] if isinstance(acts[0], Match) else [])
            return await applied(acts)

        monkeypatch.setattr(scene.store, "apply", watched)
        await scene.settle()
        assert left == [3, 1]
        await scene.nobody_waits_in_vain()


async def test_a_case_that_acts_have_shown_lately_is_matched_without_a_read(monkeypatch: pytest.MonkeyPatch) -> None:
    async with stage() as scene:
        await scene.hire("ben", presence=None)
        await scene.write("c1")
        await scene.settle()
        await come(scene, "ben")
        read = scene.store.case
        asked: list[str] = []

        async def watched(pool: PoolId, case: CaseId) -> CaseState | None:
            asked.append(case)
            return await read(pool, case)

        monkeypatch.setattr(scene.store, "case", watched)
        await scene.settle()
        assert asked == []
        assert await scene.holder("c1") == "ben"
