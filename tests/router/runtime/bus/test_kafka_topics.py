"""Topics on Kafka: the settings they get, and which existing ones are refused."""

import pytest

from router.contract.ids import PoolId
from router.contract.topics import DAY_MS, HOUR_MS, Cleanup, TopicSpec, topic_specs
from router.runtime.bus.kafka_client import MAX_RECORD_BYTES, Admin, KafkaOptions, NewTopicRequest
from router.runtime.bus.kafka_topics import create_topics, difference, topic_settings
from router.runtime.errors import BusError, BusUnavailable, TopicDiffers
from tests.kafka_server_fixture import unique
from tests.suites.kafka_members import bus_on

_RIGHT = {"cleanup.policy": "delete", "max.message.bytes": str(MAX_RECORD_BYTES)}


@pytest.mark.parametrize(
    ("partitions", "settings", "says"),
    [
        (4, {}, None),
        (4, {"max.message.bytes": str(2 * MAX_RECORD_BYTES)}, None),
        (4, {"retention.ms": "5"}, None),
        (8, {}, "8 partitions instead of 4"),
        (4, {"cleanup.policy": "compact"}, "cleanup.policy"),
        (4, {"cleanup.policy": "compact,delete"}, "cleanup.policy"),
        (4, {"max.message.bytes": "1000"}, "max.message.bytes is 1000"),
    ],
)
def test_a_topic_differs_when_it_could_break_a_promise(
    partitions: int, settings: dict[str, str], says: str | None
) -> None:
    found = difference(TopicSpec(name="t", partitions=4), partitions, _RIGHT | settings)
    assert found is None if says is None else says in (found or "")


@pytest.mark.parametrize(("copies", "in_sync"), [(1, "1"), (2, "1"), (3, "2")])
def test_a_write_waits_for_all_copies_but_one(copies: int, in_sync: str) -> None:
    assert topic_settings(TopicSpec(name="t", partitions=1), copies)["min.insync.replicas"] == in_sync


async def test_topics_are_created_with_their_retention_and_again_without_a_change(kafka: str) -> None:
    events, cases = unique("events"), unique("cases")
    specs = [
        TopicSpec(name=events, partitions=3, retention_ms=7 * DAY_MS),
        TopicSpec(name=cases, partitions=2, cleanup=Cleanup.COMPACT, min_compaction_lag_ms=HOUR_MS),
    ]
    options = KafkaOptions(bootstrap=kafka)
    await create_topics(options, specs)
    await create_topics(options, specs)
    admin = Admin(options)
    try:
        await admin.start()
        assert await admin.partition_counts([events, cases]) == {events: 3, cases: 2}
        found = await admin.settings([events, cases])
    finally:
        await admin.stop()
    assert found[events]["retention.ms"] == str(7 * DAY_MS)
    assert found[cases]["min.compaction.lag.ms"] == str(HOUR_MS)
    assert {found[each]["max.message.bytes"] for each in (events, cases)} == {str(MAX_RECORD_BYTES)}


async def test_all_topics_of_an_installation_can_be_created(kafka: str) -> None:
    specs = topic_specs((PoolId(unique("pool")),), inquiry_partitions=2, partitions=2)
    own = [each for each in specs if "inquiries" in each.name]
    async with bus_on(kafka, publish_s=15) as bus:
        await bus.create_topics(own)
        await bus.create_topics(own)


@pytest.mark.parametrize(
    "wanted",
    [
        TopicSpec(name="", partitions=4),
        TopicSpec(name="", partitions=3, cleanup=Cleanup.COMPACT),
    ],
)
async def test_an_existing_topic_that_differs_is_refused_by_name(kafka: str, wanted: TopicSpec) -> None:
    name = unique("topic")
    options = KafkaOptions(bootstrap=kafka)
    await create_topics(options, [TopicSpec(name=name, partitions=3)])
    different = TopicSpec(name=name, partitions=wanted.partitions, cleanup=wanted.cleanup)
    with pytest.raises(TopicDiffers, match=name):
        await create_topics(options, [different])


async def test_a_topic_with_a_lower_message_limit_is_refused(kafka: str) -> None:
    name = unique("topic")
    options = KafkaOptions(bootstrap=kafka)
    admin = Admin(options)
    try:
        await admin.start()
        await admin.create([NewTopicRequest(name, 1, 1, {"max.message.bytes": "1000"})])
    finally:
        await admin.stop()
    with pytest.raises(TopicDiffers, match=r"max\.message\.bytes"):
        await create_topics(options, [TopicSpec(name=name, partitions=1)])


async def test_more_copies_than_brokers_is_said_at_once(kafka: str) -> None:
    options = KafkaOptions(bootstrap=kafka, replication_factor=30)
    with pytest.raises(BusError, match="could not be created") as caught:
        await create_topics(options, [TopicSpec(name=unique("topic"), partitions=1)])
    assert not caught.value.retryable


async def test_without_a_broker_topics_are_unavailable() -> None:
    with pytest.raises(BusUnavailable):
        await create_topics(KafkaOptions(bootstrap="127.0.0.1:1"), [TopicSpec(name="t", partitions=1)])


async def test_no_topics_need_no_broker() -> None:
    await create_topics(KafkaOptions(bootstrap="127.0.0.1:1"), [])
