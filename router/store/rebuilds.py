"""What a rebuild asks of the store: where a pool stands, a fence for one rebuilder, and putting everything back."""

from collections.abc import Sequence
from typing import Final, Protocol

import msgspec

from router.contract.advisor import AdvisorState
from router.contract.case import CaseState
from router.contract.ids import PoolId

_GEN_NUMBERS: Final = 1 << 40
MAX_RESTORED: Final = 50


def first_number(gen: int) -> int:
    """Below the numbers that a gen gives to outbox entries, changes and stamps: those of all gens grow together,
    so that nobody who waits for a number of an older gen takes a newer one's for it. (Exact up to gen 8,192.)"""
    return (gen - 1) * _GEN_NUMBERS


def gen_of(number: int) -> int:
    """The gen that a number was given in."""
    return number // _GEN_NUMBERS + 1


class RebuildStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A rebuild in progress. ``left_ms`` is 0 when its rebuilder hasn't been heard of in time."""

    holder: str
    gen: int
    done: int
    total: int
    left_ms: int


class Standing(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a pool stands on the server that answers. ``life`` names this run of it.

    ``verified``: acts may go on, since somebody has vouched for the pool in this life. ``gen`` is 0 while it is
    rebuilt, and when it isn't there.
    """

    life: str
    verified: bool
    is_there: bool = False
    gen: int = 0
    number: int = 0
    rebuild: RebuildStatus | None = None


AppliedOperation = tuple[str, str, int]
"""The id of an operation, the result of its act, and the number of its outbox entry."""


class RestoredCase(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A case to be put back as it is. ``requeued`` asks for an event that says so: its offers didn't fit."""

    state: CaseState
    messages: tuple[str, ...] = ()
    history: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()
    operations: tuple[AppliedOperation, ...] = ()
    requeued: bool = False


class Foundation(msgspec.Struct, frozen=True, kw_only=True):
    """What a rebuilt pool starts from. ``total`` is how many cases and advisors will follow."""

    gen: int
    now_ms: int
    total: int


class Rebuilds(Protocol):
    """Raises ``StoreUnavailable`` (outcome unknown) and nothing else. After a failure begin again: every attempt
    starts from nothing, so one that ended half-way does no harm."""

    async def inspect(self, pool: PoolId) -> Standing:
        """Where the pool stands; a pool that isn't there is told so."""

    async def vouch(self, pool: PoolId, seen: Standing) -> bool:
        """Let acts go on: what was seen isn't behind the bus. False when another server answers by now, when there
        is less than was seen, or when a rebuild is in progress."""

    async def begin_rebuild(self, pool: PoolId, holder: str, *, lease_ms: int) -> int:
        """Stop all acts and become the one rebuilder: his fence, or 0 while another one is heard of. Repeating it
        keeps the fence and renews the lease."""

    async def clear(self, pool: PoolId, fence: int, start: Foundation) -> bool:
        """Remove all that is left of the pool but its fences, and lay the ground. False for a stale fence."""

    async def restore(
        self,
        pool: PoolId,
        fence: int,
        *,
        cases: Sequence[RestoredCase] = (),
        advisors: Sequence[AdvisorState] = (),
        lease_ms: int,
    ) -> bool:
        """Put back at most 50, with lines, timers, work and conversations; what is there already stays as it is.
        Renews the lease. False for a stale fence."""

    async def finish_rebuild(self, pool: PoolId, fence: int) -> bool:
        """Let acts go on, under the new gen. False for a stale fence."""
