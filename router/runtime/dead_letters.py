"""How a record lies among the dead letters: as it was, with where it lay before and why it can't be handled.

A letter's id is where its record lay, so a record put aside twice is one letter. What became of a letter is said by a
note on the same topic under the same key: it lies behind its letter, in the same partition, and goes when that is old.
A note of the configuration topic would have to be cleared away by somebody.
"""

from enum import StrEnum
from typing import Final

import msgspec

from router.contract.codec import Headers, header
from router.contract.topics import DEAD_LETTERS
from router.runtime.bus.protocol import Outgoing, Record

_MAX_REASON_BYTES: Final = 1000
_CUT_BYTES: Final = 64 * 1024
_TOPIC, _PARTITION, _OFFSET = "turnout-topic", "turnout-partition", "turnout-offset"
_REASON, _CUT, _REPLAY = "turnout-reason", "turnout-cut-from-bytes", "turnout-replay"
_SETTLES, _OUTCOME = "turnout-settles", "turnout-outcome"
_OURS: Final = frozenset({_TOPIC, _PARTITION, _OFFSET, _REASON, _CUT, _REPLAY})


class Settled(StrEnum):
    """What became of a letter."""

    REPLAYED = "replayed"
    DROPPED = "dropped"


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """A record that was put aside. ``cut_from_bytes`` is how long the value was when only its beginning was kept, else
    0; ``headers`` are the record's own; ``replay_of`` the letter that it was a replay of, if it was one."""

    id: str
    topic: str
    key: str
    value: bytes | None
    headers: Headers
    reason: str
    at_ms: int
    cut_from_bytes: int = 0
    replay_of: str = ""

    def replay(self) -> Outgoing:
        """The record as it was, for the topic that it came from, marked as the replay of this letter."""
        marked = (*self.headers, (_REPLAY, self.id.encode()))
        return Outgoing(topic=self.topic, key=self.key, value=self.value, headers=marked)

    def settled(self, outcome: Settled) -> Outgoing:
        """The note that says what became of it."""
        headers = ((_SETTLES, self.id.encode()), (_OUTCOME, outcome.encode()))
        return Outgoing(topic=DEAD_LETTERS, key=self.key, value=None, headers=headers)


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """A note of what became of a letter."""

    letter: str
    outcome: Settled
    at_ms: int


def dead_letter(record: Record, reason: str, *, cut: bool = False) -> Outgoing:
    """The record to publish: the same key, value and headers, and headers of our own behind them. ``cut`` keeps only
    the beginning of a value that the bus wouldn't take."""
    value = record.value
    where: Headers = (
        (_TOPIC, record.partition.topic.encode()),
        (_PARTITION, str(record.partition.number).encode()),
        (_OFFSET, str(record.offset).encode()),
        (_REASON, reason.encode("utf-8", "replace")[:_MAX_REASON_BYTES]),
    )
    if cut and value is not None:
        where = (*where, (_CUT, str(len(value)).encode()))
        value = value[:_CUT_BYTES]
    return Outgoing(topic=DEAD_LETTERS, key=record.key, value=value, headers=(*record.headers, *where))


def letter_id(record: Record) -> str:
    """The id that a record has as a letter."""
    return f"{record.partition.topic}/{record.partition.number}@{record.offset}"


def is_replay(record: Record) -> bool:
    """Whether it was put back from the dead letters."""
    return bool(header(record.headers, _REPLAY))


def read_letter(record: Record) -> Letter | Settlement | None:
    """What a record of the dead-letters topic says; None for a stranger's."""
    if settles := header(record.headers, _SETTLES):
        try:
            outcome = Settled(header(record.headers, _OUTCOME))
        except ValueError:
            return None
        return Settlement(letter=settles, outcome=outcome, at_ms=record.published_at_ms)
    topic, partition = header(record.headers, _TOPIC), header(record.headers, _PARTITION)
    offset, cut = header(record.headers, _OFFSET), header(record.headers, _CUT)
    if not (topic and partition and offset):
        return None
    return Letter(
        id=f"{topic}/{partition}@{offset}",
        topic=topic,
        key=record.key,
        value=record.value,
        headers=tuple(each for each in record.headers if each[0] not in _OURS),
        reason=header(record.headers, _REASON),
        at_ms=record.published_at_ms,
        cut_from_bytes=int(cut) if cut.isdecimal() else 0,
        replay_of=header(record.headers, _REPLAY),
    )
