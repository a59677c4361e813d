"""What a rebuild looks at in records, without reading the rest of them: most concern no open case."""

from typing import Final

import msgspec

from router.contract.codec import Headers, header
from router.contract.envelope import NUMBER_HEADER
from router.contract.events import EventType
from router.contract.ids import PoolId
from router.contract.sources import pool_source

Rank = tuple[int, int]
"""Gen and outbox number: of two states of a case, of its first life or a later one, the greater rank is newer."""

FINAL: Final = frozenset({EventType.CLOSE, EventType.MOVE})


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Which pool's outbox a record has come from, and where it stood there."""

    pool: PoolId
    gen: int
    number: int = 0

    @property
    def rank(self) -> Rank:
        return (self.gen, self.number)


class AdvisorPlace(Place, frozen=True, kw_only=True):
    id: str
    ver: int


class EventPlace(Place, frozen=True, kw_only=True):
    type: EventType
    subject: str


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What an event tells of an act, without the case."""

    type: EventType
    pool: PoolId
    gen: int
    ver: int
    number: int
    at_ms: int
    outcome: str
    actor: str = ""
    about: str = ""
    op: str = ""

    def line(self) -> str:
        """The line that the act left in the case's history."""
        act = self.type.split(".")[2]
        return f"{self.ver}|{act}|{self.outcome}|{self.at_ms}|{self.actor}|{self.about}"


class _Sent(msgspec.Struct, frozen=True, kw_only=True):
    id: str


class _Replies(msgspec.Struct, frozen=True, kw_only=True):
    replies: tuple[_Sent, ...] = ()


class _Answered(msgspec.Struct, frozen=True, kw_only=True):
    case: _Replies


PLACE: Final = msgspec.json.Decoder(Place)
ADVISOR_PLACE: Final = msgspec.json.Decoder(AdvisorPlace)
EVENT_PLACE: Final = msgspec.json.Decoder(EventPlace)
TOLD: Final = msgspec.json.Decoder(Told)
_ANSWERED: Final = msgspec.json.Decoder(_Answered)


def last_reply(event: bytes) -> str:
    """The id of the reply that a ``reply`` event has sent; empty when the case names none."""
    replies = _ANSWERED.decode(event).case.replies
    return replies[-1].id if replies else ""


def tombstone_of(pool: PoolId, headers: Headers) -> Rank | None:
    """The rank of a tombstone of that pool; the number is 0 when an older version wrote it. None for others'."""
    if header(headers, "ce_source") != pool_source(pool):
        return None
    gen, _, _ = header(headers, "ce_id").rpartition(":")[2].partition(".")
    number = header(headers, NUMBER_HEADER)
    return (int(gen) if gen.isdigit() else 0, int(number) if number.isdigit() else 0)
