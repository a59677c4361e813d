"""Queues hand out by their order, through intake, store and matcher."""

import pytest

from tests.suites.stage import RULES, rulebook, stage


def rules(order: str) -> str:
    return RULES.replace("general: {policy: standard,", f"general: {{policy: standard, order: {order},")


async def _handed_out(order: str, *, gap_s: float) -> list[str]:
    """Old, plain and urgent cases wait for mina, who takes one after the other."""
    async with stage(rulebook(rules(order))) as scene:
        await scene.write("old")
        await scene.pass_s(gap_s)
        await scene.write("urgent", labels=("urgent",))
        await scene.pass_s(1)
        await scene.write("plain")
        await scene.hire("mina", budget=10)
        done = []
        for _ in range(3):
            (name,) = [case for case in ("old", "urgent", "plain") if await scene.holder(case)]
            await scene.accept(name)
            done.append(name)
            await scene.resolve(name)
            await scene.settle()
        return done


@pytest.mark.parametrize(
    ("order", "gap_s", "expected"),
    [
        ("urgency", 60, ["urgent", "old", "plain"]),
        ("urgency", 3_700, ["old", "urgent", "plain"]),
        ("fifo", 1, ["old", "urgent", "plain"]),
        ("priority", 3_000, ["urgent", "old", "plain"]),
        ("priority", 7_300, ["old", "urgent", "plain"]),
    ],
)
async def test_in_which_order_a_queue_is_worked_off(order: str, gap_s: float, expected: list[str]) -> None:
    assert await _handed_out(order, gap_s=gap_s) == expected


async def test_a_case_that_is_declined_keeps_its_place_in_a_fifo_queue() -> None:
    async with stage(rulebook(rules("fifo"))) as scene:
        await scene.hire("mina", budget=10)
        await scene.write("first")
        await scene.pass_s(1)
        await scene.write("second", labels=("urgent",))
        await scene.decline("first")
        await scene.settle()
        await scene.accept("second")
        await scene.write("third", labels=("urgent",))
        await scene.hire("jun", budget=10)
        assert (await scene.holder("first"), await scene.holder("third")) == ("jun", "")
