"""Calling the library's functions, and loading it where it is missing."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final, cast

import msgspec

from router.contract.ids import PoolId
from router.runtime.errors import CommandRefused, RuntimeFailure, StoreUnavailable
from router.runtime.redis import Argument, Coalescer, RedisClient
from router.store.keys import prefix
from router.store.library import Library

MAX_BATCH: Final = 128

_PACK: Final = msgspec.msgpack.Encoder()

Call = tuple[str, PoolId, Any]


class Functions:
    """Functions by their short names. A server that lost its functions gets them again."""

    def __init__(self, client: RedisClient, library: Library) -> None:
        self._client = client
        self._library = library
        self._coalescer = Coalescer(client, max_batch=MAX_BATCH)
        self._batches: set[asyncio.Task[list[object]]] = set()

    async def load(self) -> None:
        """Put the library on the server; one that is there already is left alone."""
        if await self._client.call("FUNCTION", "LIST", "LIBRARYNAME", self._library.name):
            return
        try:
            await self._client.call("FUNCTION", "LOAD", self._library.text)
        except CommandRefused as exc:
            # Another process was quicker.
            if "already exists" not in str(exc):
                raise

    async def call(self, name: str, pool: PoolId, argument: Any, *, read: bool = False) -> bytes | None:
        """One call; calls of the same tick share a pipeline. None when the subject isn't there."""
        command = self._command((name, pool, argument), read=read)
        try:
            reply = await self._coalescer.call(*command)
        except CommandRefused as exc:
            if not _is_missing(exc):
                raise
            await self.load()
            reply = await self._coalescer.call(*command)
        return cast("bytes | None", reply)

    async def plain(self, *command: Argument) -> object:
        """One command that is no function of ours; it shares a pipeline with what is called in the same tick."""
        return await self._coalescer.call(*command)

    async def call_in_order(self, calls: Sequence[Call]) -> list[bytes]:
        """All calls, one after the other in as few round trips as can be, whatever becomes of the caller."""
        replies: list[bytes] = []
        for at in range(0, len(calls), MAX_BATCH):
            commands = [self._command(call) for call in calls[at : at + MAX_BATCH]]
            replies.extend(await self._batch(commands))
        return replies

    async def _batch(self, commands: list[list[Argument]]) -> list[bytes]:
        replies = await self._exchange(commands)
        if all(isinstance(reply, CommandRefused) and _is_missing(reply) for reply in replies):
            await self.load()
            replies = await self._exchange(commands)
        for reply in replies:
            if isinstance(reply, RuntimeFailure):
                # Some may have run: the caller repeats all under their operation ids.
                raise StoreUnavailable(str(reply)) if _is_missing(reply) else reply
        return cast("list[bytes]", replies)

    async def _exchange(self, commands: list[list[Argument]]) -> list[object]:
        # A write that was sent takes its course: a caller that is cancelled only stops waiting.
        task = asyncio.create_task(self._client.exchange(commands), name="redis-batch")
        self._batches.add(task)
        task.add_done_callback(self._batches.discard)
        return await asyncio.shield(task)

    def _command(self, call: Call, *, read: bool = False) -> list[Argument]:
        name, pool, argument = call
        verb = "FCALL_RO" if read else "FCALL"
        return [verb, self._library.function(name), 1, prefix(pool), _PACK.encode(argument)]

    async def close(self) -> None:
        """Let calls that were made end; each is bounded by the client's time-outs."""
        await self._coalescer.close()
        if self._batches:
            await asyncio.wait(self._batches)


def _is_missing(failure: RuntimeFailure) -> bool:
    """Whether the server said that there is no such function: then the call had no effect."""
    return "function not found" in str(failure).lower()
