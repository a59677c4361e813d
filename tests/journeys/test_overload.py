"""A running service whose state server runs out of memory: customers hear that they must wait, advisors end what they
have, nothing is lost, and with memory there again everything goes on without a restart."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from router.runtime.servers.valkey_directory import ask, holder_of
from router.runtime.simulators import Answer, CustomerMessage
from tests.kafka_server_fixture import Broker
from tests.servers import Server
from tests.suites.eventually import eventually
from tests.suites.installation import Advisor, Installation, installation

RULES = """
defaults: {queue: general, language: en}
tiers: [junior]
outcomes: {solved: Solved}
policies: {standard: {first_response_s: 3600, resolution_s: 86400}}
queues: {general: {policy: standard}}
"""
ROSTER = """
advisors:
  - {id: mina, name: Mina, languages: {en: 9}}
  - {id: jun, name: Jun, languages: {en: 9}}
"""


def policy(folder: Path) -> dict[str, Any]:
    (folder / "rules").mkdir()
    (folder / "rules" / "rules.yaml").write_text(RULES, "utf-8")
    (folder / "roster.yaml").write_text(ROSTER, "utf-8")
    return {"rules_dir": str(folder / "rules"), "roster_file": str(folder / "roster.yaml")}


def message(ref: str) -> CustomerMessage:
    return CustomerMessage(ref=ref, customer=f"customer-{ref}", thread=f"thread-{ref}", subject="help", text="Help!")


class Office:
    """One installation, its state server's socket, and the advisor who has a case."""

    def __init__(self, place: Installation, socket: str) -> None:
        self.place = place
        self._socket = socket
        self.mina: Advisor
        self.case = ""

    async def limit(self, size_bytes: int) -> None:
        assert (await ask(self._socket, f"CONFIG SET maxmemory {size_bytes}".encode())).startswith(b"+OK")

    async def level(self) -> float:
        return (await self.place.metrics())['turnout_pressure_level{pool="default"}']

    async def open(self) -> None:
        """A case is with Mina."""
        self.mina = await self.place.sign_in("mina")
        assert (await self.place.customers["webhook"].send(message("m1"))).accepted
        offer = await self.mina.push("offer")
        self.case = offer["case"]
        assert (await self.mina.ask("accept", case=self.case, offer_ver=offer["offer_ver"]))["result"] == "assigned"

    async def run_out(self) -> None:
        """The server is over its limit, and the router has seen it."""
        await self.limit(1)

        async def is_seen() -> bool:
            return await self.level() == 2

        await eventually(is_seen)
        async with aiohttp.ClientSession() as http, http.get(f"{self.place.running.ops}/readyz") as answer:
            assert answer.status == 200, await answer.text()  # to restart it would help nobody

    async def ends_its_work(self) -> None:
        answered = await self.mina.ask("reply", case=self.case, text="Here you are.")
        assert (answered["result"], answered["durable"]) == ("done", True), answered
        refused = await self.mina.ask("note", case=self.case, text="A note")
        assert refused["type"] == "problem", refused
        found = refused["problem"]
        assert (found["type"], found["status"], found["retryable"]) == ("urn:turnout:problem:full", 503, True)
        resolved = await self.mina.ask("resolve", case=self.case, outcome="solved")
        assert (resolved["result"], resolved["durable"]) == ("done", True), resolved

    async def goes_on(self) -> None:
        """What was put off comes now: the reply goes out, and the next customer's message comes in."""
        await self.limit(0)
        assert "Here you are." in (await self.place.customers["webhook"].next_reply()).text

        async def is_fine() -> bool:
            return await self.level() == 0

        await eventually(is_fine)
        assert not self.place.process.has_ended


@asynccontextmanager
async def office(folder: Path, more: dict[str, Any], socket: str = "") -> AsyncIterator[Office]:
    async with installation(folder, channels=["webhook"], more={**policy(folder), **more}) as place:
        made = Office(place, socket or holder_of(folder / "data" / "valkey" / "server.lock").socket)
        try:
            await made.open()
            yield made
        finally:
            await made.limit(0)


@pytest.mark.timeout(180)
async def test_alone_customers_are_told_to_wait_at_the_door(tmp_path: Path) -> None:
    async with office(tmp_path, {}) as made:
        await made.run_out()
        customer = made.place.customers["webhook"]
        told: list[Answer] = []

        async def is_refused() -> bool:
            told.append(await customer.send(message(f"m{len(told) + 2}")))
            return not told[-1].accepted

        await eventually(is_refused)
        assert told[-1].code == "429"
        await made.ends_its_work()
        await made.goes_on()
        last = message(f"m{len(told) + 1}")

        async def is_taken() -> bool:
            return (await customer.send(last)).accepted

        await eventually(is_taken)
        for _ in told:  # what was taken before the door was shut waited on the bus
            offer = await made.mina.push("offer")
            accepted = await made.mina.ask("accept", case=offer["case"], offer_ver=offer["offer_ver"])
            assert accepted["result"] == "assigned"
            assert (await made.mina.ask("resolve", case=offer["case"], outcome="solved"))["result"] == "done"


@pytest.mark.timeout(180)
async def test_with_kafka_inquiries_wait_on_the_bus(tmp_path: Path, own_kafka: Broker, valkey: Server) -> None:
    more = {
        "bus": {"kind": "kafka", "inquiry_partitions": 8, "partitions": 4},
        "kafka": {"bootstrap": [own_kafka.bootstrap]},
        "redis": {"url": valkey.url},
        "signing_key": "a key for a journey, long enough to sign",
    }
    async with office(tmp_path, more, str(valkey.socket)) as made:
        await made.run_out()
        assert (await made.place.customers["webhook"].send(message("m2"))).accepted
        await made.ends_its_work()
        await made.goes_on()
        assert (await made.mina.push("offer"))["case"] != made.case
        assert "a record is tried again" not in made.place.process.log.read_text("utf-8")
