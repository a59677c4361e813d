"""The bus that the settings ask for."""

from collections.abc import Callable
from typing import Final, cast

from router.runtime.bus.kafka import KafkaBus
from router.runtime.bus.kafka_client import KafkaOptions
from router.runtime.bus.kafka_security import KafkaSecurity, Mechanism, Protocol
from router.runtime.bus.protocol import Bus
from router.runtime.bus.streams import StreamsBus
from router.runtime.bus.streams_upkeep import Keeping
from router.runtime.settings.model import BusKind, Mode, Settings

# Alone there is nobody to hand over to: a long lease would only hold up the restart after a crash.
_ALONE_LEASE_MS: Final = 2_000
_LEASE_MS: Final = 10_000


def make_bus(settings: Settings, store_url: str, *, on_group_expired: Callable[[str], None] = lambda _: None) -> Bus:
    """A bus, not yet connected: Kafka, or Streams on the server of the state store, which tells of each group that it
    has forgotten."""
    if settings.bus.kind is BusKind.STREAMS:
        lease_ms = _ALONE_LEASE_MS if settings.mode is Mode.STANDALONE else _LEASE_MS
        return StreamsBus(
            store_url,
            lease_ms=lease_ms,
            keeping=Keeping(
                max_topic_bytes=settings.bus.stream_max_bytes, idle_group_ms=round(settings.bus.group_idle_s * 1000)
            ),
            on_group_expired=on_group_expired,
        )
    kafka = settings.kafka
    # The settings' patterns allow these texts only.
    security = KafkaSecurity(
        protocol=cast("Protocol", kafka.security),
        mechanism=cast("Mechanism", kafka.sasl_mechanism),
        username=kafka.username,
        password=kafka.password,
        ca_path=kafka.ca_path,
    )
    return KafkaBus(
        KafkaOptions(
            bootstrap=",".join(kafka.bootstrap),
            security=security,
            replication_factor=settings.bus.replication_factor,
            request_s=kafka.request_timeout_s,
            session_s=kafka.session_timeout_s,
        )
    )
