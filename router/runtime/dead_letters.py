"""How a record lies among the dead letters: as it was, with where it lay before and why it can't be handled."""

from typing import Final

from router.contract.codec import Headers
from router.contract.topics import DEAD_LETTERS
from router.runtime.bus.protocol import Outgoing, Record

_MAX_REASON_BYTES: Final = 1000


def dead_letter(record: Record, reason: str) -> Outgoing:
    """The record to publish: the same key, value and headers, and headers of our own behind them."""
    where: Headers = (
        ("turnout-topic", record.partition.topic.encode()),
        ("turnout-partition", str(record.partition.number).encode()),
        ("turnout-offset", str(record.offset).encode()),
        ("turnout-reason", reason.encode("utf-8", "replace")[:_MAX_REASON_BYTES]),
    )
    return Outgoing(topic=DEAD_LETTERS, key=record.key, value=record.value, headers=(*record.headers, *where))
