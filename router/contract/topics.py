"""The topics of the wire (design section 4): name, key, cleanup and size, in one table."""

from enum import StrEnum
from typing import Final

import msgspec

from router.contract.ids import PoolId

DAY_MS: Final = 86_400_000
HOUR_MS: Final = 3_600_000


class Cleanup(StrEnum):
    DELETE = "delete"
    COMPACT = "compact"


class TopicSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What a topic must be. A role creates an absent topic so, and refuses one that differs.

    ``retention_ms`` bounds ``DELETE`` topics by age. ``min_compaction_lag_ms`` keeps every record of a
    ``COMPACT`` topic readable for that long; a tombstone goes an hour after it was written.
    """

    name: str
    partitions: int
    cleanup: Cleanup = Cleanup.DELETE
    retention_ms: int = 14 * DAY_MS
    min_compaction_lag_ms: int = 0


EVENTS: Final = "turnout.events.v1"
CASES: Final = "turnout.cases.v1"
ADVISORS: Final = "turnout.advisors.v1"
CONFIG: Final = "turnout.config.v1"
REPLIES: Final = "turnout.replies.v1"
DELIVERIES: Final = "turnout.deliveries.v1"
NOTICES: Final = "turnout.notices.v1"
NOTES: Final = "turnout.notes.v1"
DEAD_LETTERS: Final = "turnout.dead-letters.v1"


def inquiries(pool: PoolId) -> str:
    """The topic that carries the inquiries and handovers of one pool."""
    return f"turnout.inquiries.v1.{pool}"


def topic_specs(
    pools: tuple[PoolId, ...], *, inquiry_partitions: int = 64, partitions: int = 16
) -> tuple[TopicSpec, ...]:
    """Every topic of an installation with these pools, in a fixed order."""
    shared = (
        TopicSpec(name=EVENTS, partitions=partitions, retention_ms=30 * DAY_MS),
        TopicSpec(name=CASES, partitions=partitions, cleanup=Cleanup.COMPACT, min_compaction_lag_ms=HOUR_MS),
        TopicSpec(name=ADVISORS, partitions=partitions, cleanup=Cleanup.COMPACT),
        TopicSpec(name=CONFIG, partitions=1, cleanup=Cleanup.COMPACT),
        TopicSpec(name=REPLIES, partitions=partitions),
        TopicSpec(name=DELIVERIES, partitions=partitions),
        TopicSpec(name=NOTICES, partitions=partitions, retention_ms=7 * DAY_MS),
        TopicSpec(name=NOTES, partitions=partitions, retention_ms=30 * DAY_MS),
        TopicSpec(name=DEAD_LETTERS, partitions=partitions, retention_ms=30 * DAY_MS),
    )
    own = tuple(TopicSpec(name=inquiries(pool), partitions=inquiry_partitions) for pool in pools)
    return own + shared
