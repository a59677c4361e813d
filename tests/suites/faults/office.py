"""Faults of people, of the relay and of the input: sessions, log-offs, rewound offsets, poison, rolling restarts."""

import asyncio
from random import Random
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from router.contract import topics
from router.contract.codec import encode
from router.contract.ids import AccountId, ConversationId, InquiryId
from router.contract.messages import MAX_INQUIRY_BYTES, Address, Customer, Inquiry
from router.runtime.bus.protocol import Outgoing
from tests.suites.eventually import eventually
from tests.suites.faults import gathering
from tests.suites.faults.gathering import POOL, StoreView
from tests.suites.faults.people import now_ms
from tests.suites.faults.plant import PARTS, RELAYS, ROUTERS, Plant
from tests.suites.faults.scenes import Fault, Findings, pass_s
from tests.suites.faults.stale import stale_admit

REWOUND: Final = 1_000
_GRACE_S: Final = 6.0
DUPLICATES: Final = 'turnout_inquiries_total{outcome="duplicate"}'


async def relay_stands_still(place: Plant, random: Random, findings: Findings) -> None:
    """Nothing gets to the bus: then no offset may be committed beyond what is there."""
    for name in RELAYS:
        place.freeze(name)
    await _write_ten(place, random)
    await pass_s(2.0)
    findings.committed_early += await _committed_early(place)
    for name in RELAYS:
        place.thaw(name)


async def routers_die_beside_it(place: Plant, random: Random, findings: Findings) -> None:
    """As above, and what had been taken is read again by those who come after: that it is known is not that it is on
    the bus."""
    for name in RELAYS:
        place.freeze(name)
    await _write_ten(place, random)
    await pass_s(1.0)
    for name in ROUTERS:
        place.kill(name)

    async def is_read_again() -> bool:
        return await place.metric(DUPLICATES, "router") > 0

    await eventually(is_read_again, within_s=60)
    place.bites["read again"] += int(await place.metric(DUPLICATES, "router"))
    await pass_s(2.0)
    findings.committed_early += await _committed_early(place)
    for name in RELAYS:
        place.thaw(name)


async def _write_ten(place: Plant, random: Random) -> None:
    threads = [f"still-{random.randint(0, 10**9)}-{number}" for number in range(10)]
    await asyncio.gather(*(place.writers.say(thread, f"{thread}-a", "hello") for thread in threads))


async def _committed_early(place: Plant) -> list[str]:
    """Inquiries whose offset is committed and whose event is not there."""
    offsets = await gathering.committed(place.kafka_address)
    told = {heard.event.about for heard in await gathering.events(place.bus)}
    records = await gathering.inquiries(place.bus)
    return [one.id for one in records if one.offset < offsets.get(one.partition, 0) and one.id not in told]


async def relay_sleeps(place: Plant, _: Random, __: Findings) -> None:
    """The owner is away for longer than its lease, and wakes up as a zombie."""
    place.freeze(RELAYS[0])
    await pass_s(9.0)
    place.thaw(RELAYS[0])


async def second_tabs(place: Plant, _: Random, findings: Findings) -> None:
    """Each opens another session and closes it: the first one holds on, and is counted all the time."""
    view = StoreView(place.store.url)
    try:
        change, numbers = await view.change(), {worker.name: worker.connection for worker in place.workers}
        for worker in place.workers:
            await worker.flash_tab()
            place.bites["second tab"] += 1
        await pass_s(_GRACE_S)
        states = await view.changes_since(change)
    finally:
        await view.close()
    stayed = {worker.name for worker in place.workers if worker.connection == numbers[worker.name]}
    for state in states:
        if state.id in stayed and numbers[state.id] not in state.connections:
            findings.uncounted.append(
                f"{state.id}'s session {numbers[state.id]} was not counted in version {state.ver}"
            )


async def hang_up(place: Plant, _random: Random, _: Findings) -> None:
    for __ in range(4):
        await asyncio.gather(*(worker.hang_up() for worker in place.workers))
        place.bites["sessions cut"] += 1
        await pass_s(0.4)


async def some_log_off(place: Plant, random: Random, __: Findings) -> None:
    """A third of them at once, and back again."""
    leaving = random.sample(place.workers, len(place.workers) // 3)
    for presence in ("offline", "online", "away", "online"):
        await asyncio.gather(*(worker.ask("presence", presence=presence) for worker in leaving))
        place.bites[f"all {presence}"] += 1
        await pass_s(0.5)


async def come_online(place: Plant, _random: Random, _: Findings) -> None:
    """Everybody goes away, a backlog grows, and all come back in the same moment."""
    for __ in range(3):
        await asyncio.gather(*(worker.ask("presence", presence="away") for worker in place.workers))
        await pass_s(1.5)
        await asyncio.gather(*(worker.ask("presence", presence="online") for worker in place.workers))
        place.bites["all came online"] += 1
        await pass_s(0.5)


async def rewind(place: Plant, _: Random, __: Findings) -> None:
    """The group's offsets go back by a thousand: everything is read once more."""
    for name in ROUTERS:
        place.parts[name].wanted = False
        place.kill(name)
    await eventually(lambda: _set_offsets(place), within_s=30)
    for name in ROUTERS:
        place.parts[name].wanted = True
    await place.all_up()

    async def is_read_again() -> bool:
        return await place.metric(DUPLICATES) > 0

    await eventually(is_read_again, within_s=60)
    place.bites["read again"] += int(await place.metric(DUPLICATES))


async def _set_offsets(place: Plant) -> bool:
    """Whether the broker took them: it does once the group has no members."""
    offsets = await gathering.committed(place.kafka_address)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=place.kafka_address, group_id=gathering.GROUP, enable_auto_commit=False
    )
    await consumer.start()
    try:
        name = topics.inquiries(POOL)
        consumer.assign([TopicPartition(name, number) for number in offsets])
        wanted = {TopicPartition(name, number): max(0, offset - REWOUND) for number, offset in offsets.items()}
        await consumer.commit(wanted)
    except Exception:  # noqa: BLE001 - a member is still counted
        return False
    finally:
        await consumer.stop()
    return True


async def poison(place: Plant, random: Random, __: Findings) -> None:
    """Records that nobody can read, among the others."""
    for number in range(3):
        key = f"poison-{random.randint(0, 10**9)}-{number}"
        value = (b"\xff\xfe", b"{", b'{"type": "inquiry"}')[number]
        await place.bus.publish([Outgoing(topic=topics.inquiries(POOL), key=key, value=value)])
        place.poison.add(key)
        place.bites["poison"] += 1


async def oversize(place: Plant, random: Random, __: Findings) -> None:
    """Inquiries larger than any may be: no channel lets them in, so somebody wrote to the bus himself."""
    for number in range(2):
        name = f"oversize-{random.randint(0, 10**9)}-{number}"
        value = encode(_inquiry(name, "x" * (MAX_INQUIRY_BYTES + 1)))
        await place.bus.publish([Outgoing(topic=topics.inquiries(POOL), key=name, value=value)])
        place.poison.add(name)
        place.bites["oversize"] += 1


def _inquiry(name: str, text: str) -> Inquiry:
    account = AccountId("webhook-account")
    return Inquiry(
        id=InquiryId(name),
        pool=POOL,
        account=account,
        channel="webhook",
        conversation=ConversationId(name),
        customer=Customer(id=name),
        reply_to=Address(account=account, address=name),
        received_at_ms=now_ms(),
        text=text,
    )


async def memory_full(place: Plant, _: Random, __: Findings) -> None:
    """The store takes nothing new for a while; what ends work goes on."""
    view = StoreView(place.store.url)
    try:
        before = await view.refused("OOM")
        assert place.store.ask("CONFIG SET maxmemory 1") == b"+OK"
        await pass_s(3.0)
        assert place.store.ask("CONFIG SET maxmemory 0") == b"+OK"
        place.bites["refused for memory"] += await view.refused("OOM") - before
    finally:
        await view.close()


async def rolling_restart(place: Plant, _: Random, __: Findings) -> None:
    """Each in its turn is told to stop and started anew."""
    for name in PARTS:
        await place.restart(name)


async def members_come_and_go(place: Plant, random: Random, _: Findings) -> None:
    for __ in range(3):
        await place.restart(random.choice(ROUTERS))


async def old_epochs(place: Plant, _: Random, findings: Findings) -> None:
    """An act under an epoch that another has followed."""
    view = StoreView(place.store.url)
    try:
        findings.stale.extend(await stale_admit(view))
    finally:
        await view.close()
    place.bites["act under an old epoch"] += 1


def _fault(name: str, strike: object, *wants: str) -> Fault:
    return Fault(name=name, strike=strike, wants=wants)  # type: ignore[arg-type]


OFFICE_FAULTS: Final = (
    _fault("relay stands still", relay_stands_still, "freeze relay"),
    _fault("routers die beside a still relay", routers_die_beside_it, "freeze relay", "kill router", "read again"),
    _fault("relay sleeps", relay_sleeps, "freeze relay"),
    _fault("second tabs", second_tabs, "second tab"),
    _fault("sessions cut", hang_up, "sessions cut"),
    _fault("a third logs off", some_log_off, "all offline", "all online"),
    _fault("many come online at once", come_online, "all came online"),
    _fault("offsets rewound", rewind, "read again"),
    _fault("poison", poison, "poison"),
    _fault("oversize records", oversize, "oversize"),
    _fault("memory full", memory_full, "refused for memory"),
    _fault("rolling restart", rolling_restart, *(f"{name} ended" for name in PARTS)),
    _fault("members come and go", members_come_and_go, "restart router"),
    _fault("old epochs", old_epochs, "act under an old epoch"),
)
