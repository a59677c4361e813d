"""Folding the topics: what the newest record says of each case and each advisor. Pure."""

import logging
from collections.abc import Callable, Iterator
from typing import Final, TypeVar

import msgspec

from router.contract.ids import PoolId
from router.runtime.bus.protocol import Record
from router.service.rebuilding.records import (
    ADVISOR_PLACE,
    EVENT_PLACE,
    FINAL,
    Place,
    Rank,
    tombstone_of,
)

P = TypeVar("P", bound=Place)
T = TypeVar("T")

LOG = logging.getLogger(__name__)
_NOTHING: Final[Rank] = (0, 0)


class _Newest(msgspec.Struct, frozen=True):
    """``value`` None: closed or moved."""

    rank: Rank
    value: bytes | None


def _drained(rows: dict[str, T], value_of: Callable[[T], bytes | None]) -> Iterator[bytes]:
    while rows:
        _, row = rows.popitem()
        value = value_of(row)
        if value is not None:
            yield value


class Fold:
    """Takes the records of cases (before events), events and advisors in any order of keys, each as often as it
    comes. A case is told by its record of the greatest gen and number, so neither a repeat nor a late record of an
    older gen undoes anything, and a closed case stays closed unless the id was opened again later."""

    def __init__(self, pool: PoolId) -> None:
        self._pool = pool
        self._cases: dict[str, _Newest] = {}
        self._advisors: dict[str, tuple[Rank, bytes]] = {}
        self.furthest: Rank = _NOTHING
        self.damaged = 0

    @property
    def cases(self) -> dict[str, bytes]:
        """The event that told each open case's newest state."""
        return {name: newest.value for name, newest in self._cases.items() if newest.value is not None}

    @property
    def advisors(self) -> dict[str, bytes]:
        """Each advisor's newest record."""
        return {name: value for name, (_, value) in self._advisors.items()}

    def drained(self) -> tuple[Iterator[bytes], Iterator[bytes]]:
        """The records of ``cases`` and of ``advisors``, each gone from here once it is given out: there may be a
        million, and what is made of them takes as much room again."""
        return _drained(self._cases, lambda newest: newest.value), _drained(self._advisors, lambda told: told[1])

    def take_case(self, record: Record) -> None:
        """A record of the cases or the events topic."""
        if record.value is None:
            self._take_tombstone(record)
            return
        place = self._placed(EVENT_PLACE, record, record.value)
        if place is None:
            return
        known = self._cases.get(place.subject)
        if known is None or place.rank > known.rank:
            self._cases[place.subject] = _Newest(place.rank, None if place.type in FINAL else record.value)

    def _take_tombstone(self, record: Record) -> None:
        rank = tombstone_of(self._pool, record.headers)
        if rank is None:
            return
        known = self._cases.get(record.key)
        if not rank[1]:
            # Of an older version: only its place in the topic tells when it was written, after all before it.
            rank = known.rank if known else _NOTHING
        self.furthest = max(self.furthest, rank)
        if known is None or rank >= known.rank:
            self._cases[record.key] = _Newest(rank, None)

    def take_advisor(self, record: Record) -> None:
        """A record of the advisors topic. A tombstone says nothing: nobody writes one."""
        if record.value is None:
            return
        place = self._placed(ADVISOR_PLACE, record, record.value)
        if place is None:
            return
        rank = (place.gen, place.ver)
        known = self._advisors.get(place.id)
        if known is None or rank > known[0]:
            self._advisors[place.id] = (rank, record.value)

    def _placed(self, decoder: msgspec.json.Decoder[P], record: Record, value: bytes) -> P | None:
        """Where a record belongs; None when it can't be read, or is another pool's."""
        try:
            place = decoder.decode(value)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self._is_damaged(record)
            return None
        if place.pool != self._pool:
            return None
        self.furthest = max(self.furthest, place.rank)
        return place

    def _is_damaged(self, record: Record) -> None:
        self.damaged += 1
        LOG.warning(
            "a record can't be read and is left out of the rebuild",
            extra={"event": "rebuild.damaged", "topic": record.partition.topic, "offset": record.offset},
        )
