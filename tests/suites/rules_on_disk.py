"""A router and a relay as a child, with rules from a folder that a test changes, and what comes of its cases."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from router.app import Role
from router.contract.case import CaseState
from router.contract.codec import encode
from router.contract.ids import AccountId, ConversationId, InquiryId, PoolId
from router.contract.messages import Address, Customer, Inquiry
from router.contract.records import record_head
from router.contract.topics import topic_specs
from router.runtime.bus.protocol import Outgoing
from router.runtime.bus.streams import StreamsBus
from router.runtime.redis import Purpose, connect
from router.store.redis import RedisStore
from tests.servers import Server
from tests.suites.eventually import eventually
from tests.suites.installation import Process

POOL = PoolId("default")
LONG_S = 90.0
_PARTITIONS = {"inquiry_partitions": 4, "partitions": 2}


@dataclass
class Place:
    """A store with a bus, the router that works on them, and the folder that its rules come from. Nobody is there to
    take a case."""

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

    async def write(self, count: int) -> None:
        """So many customers write, and each has a case afterwards."""
        await self.bus.create_topics(topic_specs((POOL,), **_PARTITIONS))
        await self.bus.publish([_written(number) for number in range(count)])

        async def are_open() -> bool:
            return len(await self.cases()) == count

        await eventually(are_open, within_s=LONG_S)


@asynccontextmanager
async def place_with(folder: Path, server: Server, files: dict[str, str]) -> AsyncIterator[Place]:
    """Running, with these files of rules."""
    (folder / "rules").mkdir()
    for name, text in files.items():
        (folder / "rules" / name).write_text(text, "utf-8")
    (folder / "roster.yaml").write_text("advisors: [{id: mina, name: Mina}]\n", "utf-8")
    process = Process(folder, _settings(folder, server), roles=(Role.RELAY, Role.ROUTER))
    commands, waits = connect(server.url), connect(server.url, purpose=Purpose.BLOCKING)
    made = Place(RedisStore(commands, waits), StreamsBus(server.url), process, folder / "rules")
    await made.store.open()
    try:
        await process.start()
        yield made
    finally:
        process.stop()
        await made.store.close()
        await made.bus.close()
        await commands.close()
        await waits.close()


def _settings(folder: Path, server: Server) -> dict[str, Any]:
    return {
        "data_dir": str(folder / "data"),
        "rules_dir": str(folder / "rules"),
        "roster_file": str(folder / "roster.yaml"),
        "redis": {"url": server.url},
        "bus": {"kind": "streams", **_PARTITIONS},
        "http": {"channels_port": 0, "api_port": 0, "ops_port": 0},
        "signing_key": "a key for a test, long enough to sign",
    }


def _written(number: int) -> Outgoing:
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
