"""Signing in to Kafka: what the client is told, and a real broker that asks for a password."""

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from router.contract.topics import TopicSpec
from router.runtime.bus.kafka_security import KafkaSecurity
from router.runtime.errors import BusUnavailable
from router.runtime.secret import Secret
from router.runtime.servers.kafka_server import free_ports
from tests.kafka_server_fixture import Broker, running_broker, unique
from tests.suites.kafka_members import Diary, bus_on, new_topic, numbers, read, records

USER: dict[str, Any] = {"username": "turnout", "password": Secret("open sesame")}
SIGNED_IN = {"sasl_plain_username": "turnout", "sasl_plain_password": "open sesame"}


@pytest.mark.parametrize(
    ("security", "told"),
    [
        (KafkaSecurity(), {"security_protocol": "PLAINTEXT"}),
        (
            KafkaSecurity(protocol="SASL_PLAINTEXT", mechanism="PLAIN", **USER),
            {"security_protocol": "SASL_PLAINTEXT", "sasl_mechanism": "PLAIN", **SIGNED_IN},
        ),
        (
            KafkaSecurity(protocol="SASL_SSL", **USER),
            {"security_protocol": "SASL_SSL", "sasl_mechanism": "SCRAM-SHA-512", **SIGNED_IN},
        ),
        (KafkaSecurity(protocol="SSL", **USER), {"security_protocol": "SSL"}),
    ],
)
def test_only_what_the_protocol_needs_is_told(security: KafkaSecurity, told: dict[str, Any]) -> None:
    found = security.connection()
    context = found.pop("ssl_context", None)
    assert found == told
    assert (context is not None) == ("SSL" in security.protocol)
    if context is not None:
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname


def test_the_password_is_not_printed() -> None:
    assert "sesame" not in repr(KafkaSecurity(protocol="SASL_SSL", **USER))


@pytest.fixture(scope="module")
def guarded_port() -> Iterator[int]:
    """A broker's second door, which asks for a password."""
    ports, guarded = free_ports(), free_ports().clients
    listeners = f"PLAINTEXT://127.0.0.1:{ports.clients},GUARDED://127.0.0.1:{guarded}"
    entry = 'org.apache.kafka.common.security.plain.PlainLoginModule required user_turnout="open sesame";'
    settings = {
        "listeners": f"{listeners},CONTROLLER://127.0.0.1:{ports.controller}",
        "advertised.listeners": listeners,
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,GUARDED:SASL_PLAINTEXT",
        "sasl.enabled.mechanisms": "PLAIN",
        "listener.name.guarded.plain.sasl.jaas.config": entry,
    }

    def port(_: Broker) -> int:
        return guarded

    yield from map(port, running_broker(ports=ports, settings=settings))


async def test_with_the_password_everything_works(guarded_port: int) -> None:
    security = KafkaSecurity(protocol="SASL_PLAINTEXT", mechanism="PLAIN", **USER)
    async with bus_on(f"127.0.0.1:{guarded_port}", security=security) as bus:
        topic = await new_topic(bus)
        await bus.publish(records(topic, 3))
        member = await bus.subscribe(unique("group"), [topic], Diary())
        assert numbers(await read(member, 3)) == [0, 1, 2]
        assert len([record async for record in bus.history(topic)]) == 3


async def test_with_a_wrong_password_nothing_is_reached(guarded_port: int) -> None:
    security = KafkaSecurity(protocol="SASL_PLAINTEXT", mechanism="PLAIN", username="turnout", password=Secret("no"))
    async with bus_on(f"127.0.0.1:{guarded_port}", security=security) as bus:
        with pytest.raises(BusUnavailable):
            await bus.publish(records("t", 1))


async def test_a_file_of_authorities_that_is_absent_is_named(tmp_path: Path) -> None:
    security = KafkaSecurity(protocol="SSL", ca_path=str(tmp_path / "absent.pem"))
    async with bus_on("127.0.0.1:1", security=security) as bus:
        for call in (
            bus.publish(records("t", 1)),
            bus.subscribe("g", ["t"], Diary()),
            anext(bus.history("t")),
            bus.create_topics([TopicSpec(name="t", partitions=1)]),
        ):
            with pytest.raises(BusUnavailable, match="No such file"):
                await call
