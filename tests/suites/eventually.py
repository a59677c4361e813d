"""Waiting for an effect that no event announces: the only place in the tests that waits in small steps."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

T = TypeVar("T")

_STEP_S = 0.005


@overload
async def eventually(claim: Callable[[], Awaitable[T]], *, within_s: float = ...) -> T: ...
@overload
async def eventually(claim: Callable[[], T], *, within_s: float = ...) -> T: ...
async def eventually(claim: Callable[[], Any], *, within_s: float = 10.0) -> Any:
    """Return the first truthy answer of ``claim``, a plain or an async function that is asked again and again.

    After ``within_s`` it raises ``AssertionError`` with the last answer, so a failure shows what was seen instead.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within_s
    while True:
        answer = claim()
        if inspect.isawaitable(answer):
            answer = await answer
        if answer:
            return answer
        if loop.time() >= deadline:
            raise AssertionError(f"not within {within_s} s; the last answer was {answer!r}")
        await asyncio.sleep(_STEP_S)
