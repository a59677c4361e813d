"""``eventually`` waits for an answer, of either kind of function, and says what it saw instead."""

import pytest

from tests.suites.eventually import eventually


async def test_the_first_truthy_answer_is_returned() -> None:
    answers = iter(["", None, "three", "four"])
    assert await eventually(lambda: next(answers)) == "three"


async def test_an_answer_may_be_awaited() -> None:
    answers = iter([0, 0, 7])

    async def claim() -> int:
        return next(answers)

    assert await eventually(claim) == 7


async def test_what_never_comes_is_said_with_the_last_answer() -> None:
    with pytest.raises(AssertionError, match=r"not within 0\.02 s.*\[\]"):
        await eventually(list[str], within_s=0.02)
