"""Waiting for something that happens elsewhere."""

import asyncio
from collections.abc import Awaitable, Callable

_LOOK_S = 0.01


async def eventually(check: Callable[[], bool | Awaitable[bool]], *, within_s: float = 20.0, what: str = "it") -> None:
    """Return once the check holds; fail, saying what, when it doesn't in time."""
    loop = asyncio.get_running_loop()
    ends = loop.time() + within_s
    while True:
        held = check()
        if held if isinstance(held, bool) else await held:
            return
        if loop.time() > ends:
            raise AssertionError(f"{what} didn't happen within {within_s} s")
        await asyncio.sleep(_LOOK_S)
