"""A lost store is rebuilt from a real Kafka: compacted topics, tombstones, reading by time."""

from router.runtime.bus.kafka import KafkaBus
from router.runtime.bus.kafka_client import KafkaOptions
from tests.kafka_server_fixture import Broker
from tests.suites.rebuild_stage import ALL_TOPICS, RandomDay, rebuild_stage


async def test_a_lost_store_is_rebuilt_from_kafka(fresh_kafka: Broker) -> None:
    bus = KafkaBus(KafkaOptions(bootstrap=fresh_kafka.bootstrap))
    await bus.create_topics(ALL_TOPICS)
    try:
        async with rebuild_stage(bus) as lossy:
            day = RandomDay(lossy, 1)
            await day.open()
            await day.run(100)
            await lossy.relay(note=False)
            before = await lossy.picture()
            await lossy.lose()
            assert await lossy.gate(lossy.rebuilder()).enter() == 2
            assert (await lossy.picture()).differences(before) == {}
            await lossy.go_on()
            await day.run(20)
            await lossy.relay()
            before = await lossy.picture()
            await lossy.lose()
            assert await lossy.gate(lossy.rebuilder()).enter() == 3
            assert (await lossy.picture()).differences(before) == {}
    finally:
        await bus.close()
