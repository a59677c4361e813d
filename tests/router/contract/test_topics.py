"""The table of topics, as the design has it. Partition counts are fixed at creation: they never change here."""

import pytest

from router.contract import DAY_MS, HOUR_MS, Cleanup, PoolId, TopicSpec, inquiries, topic_specs

DELETE, COMPACT = Cleanup.DELETE, Cleanup.COMPACT
TABLE = [
    ("turnout.inquiries.v1.main", 64, DELETE, 14 * DAY_MS, 0),
    ("turnout.events.v1", 16, DELETE, 30 * DAY_MS, 0),
    ("turnout.cases.v1", 16, COMPACT, None, HOUR_MS),
    ("turnout.advisors.v1", 16, COMPACT, None, 0),
    ("turnout.config.v1", 1, COMPACT, None, 0),
    ("turnout.replies.v1", 16, DELETE, 14 * DAY_MS, 0),
    ("turnout.deliveries.v1", 16, DELETE, 14 * DAY_MS, 0),
    ("turnout.notices.v1", 16, DELETE, 7 * DAY_MS, 0),
    ("turnout.notes.v1", 16, DELETE, 30 * DAY_MS, 0),
    ("turnout.dead-letters.v1", 16, DELETE, 30 * DAY_MS, 0),
]


def row(spec: TopicSpec) -> tuple[str, int, Cleanup, int | None, int]:
    # A compacted topic keeps the last record of a key for ever: its retention says nothing.
    kept = spec.retention_ms if spec.cleanup is DELETE else None
    return spec.name, spec.partitions, spec.cleanup, kept, spec.min_compaction_lag_ms


def test_the_topics_are_these() -> None:
    assert [row(spec) for spec in topic_specs((PoolId("main"),))] == TABLE


def test_each_pool_has_inquiries_of_its_own() -> None:
    one, two = PoolId("main"), PoolId("b2b")
    names = [spec.name for spec in topic_specs((one, two))]
    assert names[:2] == [inquiries(one), inquiries(two)] == ["turnout.inquiries.v1.main", "turnout.inquiries.v1.b2b"]
    assert names[2:] == [name for name, *_ in TABLE[1:]]


@pytest.mark.parametrize("name", [name for name, *_ in TABLE])
def test_partition_counts_are_settings_except_that_of_the_configuration(name: str) -> None:
    counts = {spec.name: spec.partitions for spec in topic_specs((PoolId("main"),), inquiry_partitions=6, partitions=3)}
    expected = {"turnout.inquiries.v1.main": 6, "turnout.config.v1": 1}
    assert counts[name] == expected.get(name, 3)
