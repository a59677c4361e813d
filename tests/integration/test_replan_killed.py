"""A router killed by SIGKILL while it brings a changed policy to many cases: the next one goes on, every case is
reached once, and what is overdue by the change fires once in each."""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from router.app import Role
from router.contract.case import CaseState, read_detail
from router.contract.codec import encode
from router.contract.events import CaseEvent
from router.contract.ids import AccountId, ConversationId, InquiryId, PoolId
from router.contract.messages import Address, Customer, Inquiry
from router.contract.records import record_head
from router.contract.topics import EVENTS, topic_specs
from router.runtime.bus.protocol import Outgoing
from router.runtime.bus.streams import StreamsBus
from router.runtime.redis import Purpose, connect
from router.store.redis import RedisStore
from tests.servers import Server
from tests.suites.eventually import eventually
from tests.suites.installation import Process

POOL = PoolId("default")
CASES = 400
LONG_S = 90.0
RULES = """
defaults: {queue: general, language: en}
outcomes: {solved: Solved}
policies:
  slow: {first_response_s: 36000, resolution_s: 864000}
  quick: {first_response_s: 1, resolution_s: 864000}
queues: {general: {policy: slow}}
"""
EVENT = msgspec.json.Decoder(CaseEvent)
FIRED = ["breach.first_response|0.replan", "warn.first_response|0.replan"]

pytestmark = pytest.mark.timeout(300)


@dataclass
class Place:
    """A store with a bus, a router, and the file that its rules come from."""

    store: RedisStore
    bus: StreamsBus
    router: Process
    rules: Path

    async def cases(self) -> list[CaseState]:
        found, cursor = [], ""
        while True:
            page = await self.store.case_names(POOL, cursor)
            states = [await self.store.case(POOL, name) for name in page.cases]
            found += [state for state in states if state is not None]
            cursor = page.cursor
            if not cursor:
                return found

    async def reached(self) -> int:
        return sum(bool(read_detail(state.detail).replans) for state in await self.cases())


def settings(folder: Path, server: Server) -> dict[str, Any]:
    return {
        "data_dir": str(folder / "data"),
        "rules_dir": str(folder / "rules"),
        "roster_file": str(folder / "roster.yaml"),
        "redis": {"url": server.url},
        "bus": {"kind": "streams", "inquiry_partitions": 4, "partitions": 2},
        "http": {"channels_port": 0, "api_port": 0, "ops_port": 0},
        "signing_key": "a key for a test, long enough to sign",
    }


@pytest.fixture
async def place(tmp_path: Path, valkey: Server) -> AsyncIterator[Place]:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "rules.yaml").write_text(RULES, "utf-8")
    (tmp_path / "roster.yaml").write_text("advisors: [{id: mina, name: Mina}]\n", "utf-8")
    process = Process(tmp_path, settings(tmp_path, valkey), roles=(Role.RELAY, Role.ROUTER))
    commands, waits = connect(valkey.url), connect(valkey.url, purpose=Purpose.BLOCKING)
    made = Place(RedisStore(commands, waits), StreamsBus(valkey.url), process, tmp_path / "rules" / "rules.yaml")
    await made.store.open()
    await process.start()
    yield made
    process.stop()
    await made.store.close()
    await made.bus.close()
    await commands.close()
    await waits.close()


def written(number: int) -> Outgoing:
    message = Inquiry(
        id=InquiryId(f"i{number}"),
        pool=POOL,
        account=AccountId("acc"),
        channel="email",
        conversation=ConversationId(f"talk-{number}"),
        customer=Customer(id=f"customer-{number}"),
        reply_to=Address(account=AccountId("acc"), address="somebody"),
        received_at_ms=1,
        text="hello",
    )
    head = record_head(message)
    return Outgoing(topic=head.topic, key=head.key, value=encode(message), headers=head.headers)


async def told(bus: StreamsBus) -> dict[str, Counter[str]]:
    """What has fired because of a change, by case: a repeated record of one event counts once."""
    found: dict[str, Counter[str]] = {}
    seen: set[str] = set()
    async for record in bus.history(EVENTS):
        event = EVENT.decode(record.value or b"")
        if event.about.endswith(".replan") and event.id not in seen:
            seen.add(event.id)
            found.setdefault(event.subject, Counter())[event.about] += 1
    return found


async def test_killed_in_the_midst_of_it_the_next_router_reaches_every_case_once(place: Place) -> None:
    await place.bus.create_topics(topic_specs((POOL,), inquiry_partitions=4, partitions=2))
    await place.bus.publish([written(number) for number in range(CASES)])

    async def are_open() -> bool:
        return len(await place.cases()) == CASES

    await eventually(are_open, within_s=LONG_S)
    place.rules.write_text(RULES.replace("policy: slow", "policy: quick"), "utf-8")

    async def is_under_way() -> bool:
        return await place.reached() > 0

    await eventually(is_under_way, within_s=LONG_S)
    place.router.kill()
    before = await place.reached()
    assert 0 < before < CASES
    await place.router.start()

    async def is_through() -> bool:
        return await place.reached() == CASES and sum(map(len, (await told(place.bus)).values())) == CASES * len(FIRED)

    await eventually(is_through, within_s=LONG_S)
    for state in await place.cases():
        detail = read_detail(state.detail)
        (change,) = detail.replans
        assert (detail.verdict.policy, change.policy_was, change.overdue) == ("quick", "slow", ("first_response",))
        assert not [timer for timer in state.timers if "first_response" in timer]
    fired = await told(place.bus)
    assert len(fired) == CASES
    assert all(sorted(each.elements()) == FIRED for each in fired.values())
