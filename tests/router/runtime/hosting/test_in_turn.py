"""What is begun for one key waits for what was begun before."""

import asyncio

import pytest

from router.runtime.hosting.in_turn import InTurn
from tests.suites.eventually import eventually


async def test_one_key_is_served_in_order_and_others_meanwhile() -> None:
    turns: InTurn[str] = InTurn()
    done: list[str] = []
    gate = asyncio.Event()

    async def first() -> None:
        await gate.wait()
        done.append("a1")

    async def note(what: str) -> None:
        done.append(what)

    turns.begin(("a",), first, name="a1")
    both = turns.begin(("a", "b"), lambda: note("ab"), name="ab")
    after = turns.begin(("b",), lambda: note("b"), name="b")
    await turns.begin(("c",), lambda: note("c"), name="c")
    assert done == ["c"]
    gate.set()
    await asyncio.gather(both, after)
    assert done == ["c", "a1", "ab", "b"]


async def test_a_failure_is_whose_who_awaits_it_and_the_next_begins_all_the_same() -> None:
    turns: InTurn[str] = InTurn()

    async def fails() -> None:
        raise LookupError("gone")

    async def goes_well() -> None:
        return

    failing = turns.begin(("a",), fails, name="fails")
    await turns.begin(("a",), goes_well, name="next")
    with pytest.raises(LookupError):
        await failing


async def test_a_stop_cuts_off_what_is_under_way() -> None:
    turns: InTurn[str] = InTurn()
    never = asyncio.Event()
    begun = asyncio.Event()

    async def waits() -> None:
        begun.set()
        await never.wait()

    task = turns.begin(("a",), waits, name="waits")
    await begun.wait()
    await turns.cancel()
    assert task.cancelled()
    await eventually(lambda: turns.is_idle)
