"""One broker of three is lost: the two that are left go on, and nothing that was acknowledged is lost with it."""

from collections import Counter
from random import Random
from typing import Final

from aiokafka.admin import AIOKafkaAdminClient

from router.contract import topics
from tests.suites.faults.gathering import POOL
from tests.suites.faults.plant import Plant
from tests.suites.faults.scenes import Fault, Findings, pass_s

LOST: Final = "a leading broker killed"
MEANWHILE: Final = "answered by the two that are left"
_BROKERS: Final = 3
_AWAY_S: Final = 10.0


async def lose_a_broker(place: Plant, random: Random, _: Findings) -> None:
    """The one that leads most partitions of the inquiries and events is killed, and comes back later."""
    leads = await _leads(place)
    number, led = leads.most_common(1)[0]
    assert led, f"no broker leads anything: {leads}"
    broker = place.brokers.servers[number - 1]
    await broker.kill()
    place.bites[LOST] += 1
    before = place.watch.seen["heard"]
    await place.writers.wave(f"without-{random.randint(0, 999)}", 8, at_once=8, seed=number)
    await pass_s(_AWAY_S)
    place.bites[MEANWHILE] += place.watch.seen["heard"] - before
    await broker.restart()


async def _leads(place: Plant) -> Counter[int]:
    """How many partitions each broker leads."""
    admin = AIOKafkaAdminClient(bootstrap_servers=place.kafka_address)
    await admin.start()
    try:
        found = await admin.describe_topics([topics.inquiries(POOL), topics.EVENTS])
    finally:
        await admin.close()
    return Counter(partition["leader"] for topic in found for partition in topic["partitions"])


CLUSTER_FAULTS: Final = (
    Fault(name="one broker of three lost", strike=lose_a_broker, wants=(LOST, MEANWHILE), brokers=_BROKERS),
)
