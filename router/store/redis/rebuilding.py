"""Rebuilding a pool on Redis or Valkey."""

from collections.abc import Sequence
from typing import Any, Final, Protocol, cast

import msgspec

from router.contract.advisor import AdvisorState
from router.contract.ids import PoolId
from router.runtime.redis import RedisClient
from router.store.keys import kind_of, pattern, prefix
from router.store.rebuilds import Foundation, RestoredCase, Standing, first_number

_PAGE: Final = 1_000
_WIPED: Final = 200
_KEPT: Final = frozenset({"meta", "fences", "rebuild"})

_STANDING: Final = msgspec.msgpack.Decoder(Standing)
_NUMBER: Final = msgspec.msgpack.Decoder(int)
_HELD: Final = msgspec.msgpack.Decoder(bool)


class _Call(Protocol):
    async def __call__(self, name: str, pool: PoolId, argument: Any) -> bytes: ...


class RedisRebuilds:
    """Implements ``Rebuilds`` by functions of the library. ``marks`` are what a new pool's row is given besides."""

    def __init__(self, call: _Call, client: RedisClient, marks: dict[str, int]) -> None:
        self._call = call
        self._client = client
        self._marks = marks

    async def inspect(self, pool: PoolId) -> Standing:
        return _STANDING.decode(await self._call("inspect", pool, None))

    async def vouch(self, pool: PoolId, seen: Standing) -> bool:
        want = {"life": seen.life, "gen": seen.gen, "number": seen.number}
        return _HELD.decode(await self._call("vouch", pool, want))

    async def begin_rebuild(self, pool: PoolId, holder: str, *, lease_ms: int) -> int:
        return _NUMBER.decode(await self._call("rebuild_begin", pool, {"holder": holder, "lease_ms": lease_ms}))

    async def clear(self, pool: PoolId, fence: int, start: Foundation) -> bool:
        cursor = b"0"
        while True:
            names, cursor = await self._page(pool, cursor)
            for at in range(0, len(names) or 1, _WIPED):
                want = {"epoch": fence, "keys": names[at : at + _WIPED]}
                if not _HELD.decode(await self._call("rebuild_wipe", pool, want)):
                    return False
            if cursor == b"0":
                break
        laid = msgspec.structs.asdict(start) | self._marks | {"epoch": fence, "base": first_number(start.gen)}
        return _HELD.decode(await self._call("rebuild_lay", pool, laid))

    async def _page(self, pool: PoolId, cursor: bytes) -> tuple[list[str], bytes]:
        """Some names of keys to be wiped, and where to read on."""
        reply = await self._client.call("SCAN", cursor, "MATCH", pattern(prefix(pool)), "COUNT", _PAGE)
        cursor, found = cast("tuple[bytes, list[bytes]]", reply)
        kinds = {name.decode(): kind_of(pool, name.decode()) for name in found}
        return [name for name, kind in kinds.items() if kind is not None and kind.name not in _KEPT], cursor

    async def restore(
        self,
        pool: PoolId,
        fence: int,
        *,
        cases: Sequence[RestoredCase] = (),
        advisors: Sequence[AdvisorState] = (),
        lease_ms: int,
    ) -> bool:
        want = {"epoch": fence, "cases": list(cases), "advisors": list(advisors), "lease_ms": lease_ms}
        return _HELD.decode(await self._call("rebuild_restore", pool, want))

    async def finish_rebuild(self, pool: PoolId, fence: int) -> bool:
        return _HELD.decode(await self._call("rebuild_finish", pool, fence))
