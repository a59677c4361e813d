"""The bus on Kafka passes the suites, on a real Apache Kafka."""

import os
import signal
from collections.abc import AsyncIterator

import pytest

from router.runtime.bus.kafka import KafkaBus
from router.runtime.bus.kafka_client import KafkaOptions
from router.runtime.bus.protocol import Bus
from tests.kafka_server_fixture import Broker
from tests.suites.bus import BusSuite
from tests.suites.bus_checks import Cluster, FragileCluster
from tests.suites.bus_faults import FragileBusSuite


class _Kafka:
    compacts_at_once = False

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self.child_target: str | None = f"kafka {bootstrap}"

    def open(self) -> Bus:
        return KafkaBus(
            KafkaOptions(
                bootstrap=self._bootstrap,
                request_s=3,
                publish_s=4,
                stop_s=4,
                session_s=6,
                heartbeat_s=0.2,
                max_poll_interval_s=1,
                handover_s=5,
                rebalance_s=10,
            )
        )

    async def outlast_lease(self) -> None: ...


class _FragileKafka(_Kafka):
    def __init__(self, broker: Broker) -> None:
        super().__init__(broker.bootstrap)
        self._broker = broker
        self.is_up = True

    def kill(self) -> None:
        os.kill(self._broker.server.pid, signal.SIGKILL)
        self.is_up = False

    async def restart(self) -> None:
        await self._broker.server.restart()
        self.is_up = True

    def freeze(self) -> None:
        self._broker.freeze()

    def thaw(self) -> None:
        self._broker.thaw()


class TestKafkaBus(BusSuite):
    @pytest.fixture
    def cluster(self, kafka: str) -> Cluster:
        return _Kafka(kafka)


class TestKafkaBusWhenItsBrokerFails(FragileBusSuite):
    @pytest.fixture
    async def cluster(self, own_kafka: Broker) -> AsyncIterator[FragileCluster]:
        """Up again for the next test."""
        cluster = _FragileKafka(own_kafka)
        yield cluster
        if not cluster.is_up:
            await cluster.restart()
