"""The two ways to run that journeys go through."""

from typing import Any

import pytest

from tests.kafka_server_fixture import Broker
from tests.servers import Server


@pytest.fixture(params=["streams", "kafka"])
def bus(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Settings of both ways to run: all embedded, and on servers of their own."""
    if request.param == "streams":
        return {}
    broker: Broker = request.getfixturevalue("own_kafka")
    server: Server = request.getfixturevalue("valkey")
    return {
        "bus": {"kind": "kafka", "inquiry_partitions": 8, "partitions": 4},
        "kafka": {"bootstrap": [broker.bootstrap]},
        "redis": {"url": server.url},
        "signing_key": "a key for a journey, long enough to sign",
    }
