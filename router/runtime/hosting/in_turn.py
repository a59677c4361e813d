"""Work that is done one after the other for each key, and at the same time for different keys."""

import asyncio
from collections.abc import Callable, Collection, Coroutine
from typing import Any, Generic, TypeVar

Key = TypeVar("Key")


class InTurn(Generic[Key]):
    """Holds the last task of each key; one that is done is forgotten, so it never holds more than what is under way."""

    def __init__(self) -> None:
        self._last: dict[Key, asyncio.Task[None]] = {}

    @property
    def is_idle(self) -> bool:
        """Nothing is under way."""
        return not self._last

    def begin(
        self, keys: Collection[Key], work: Callable[[], Coroutine[Any, Any, None]], *, name: str
    ) -> "asyncio.Task[None]":
        """Do the work once all that was begun before for any of these keys has ended, in whatever way.

        The task has its error for whoever awaits it; nobody needs to.
        """
        before = {last for key in keys if (last := self._last.get(key)) is not None}
        task = asyncio.create_task(_after(before, work), name=name)
        for key in keys:
            self._last[key] = task
        task.add_done_callback(lambda done: self._ended(keys, done))
        return task

    async def cancel(self) -> None:
        """Cut off what is under way, and return when it has ended."""
        tasks = set(self._last.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, keys: Collection[Key], task: "asyncio.Task[None]") -> None:
        for key in keys:
            if self._last.get(key) is task:
                del self._last[key]
        if not task.cancelled():
            task.exception()  # whoever awaits it has it, unless nobody does any more


async def _after(before: Collection["asyncio.Task[None]"], work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    if before:
        await asyncio.wait(before)
    await work()
