"""The two ways to run that journeys go through."""

from typing import Any

import pytest

from tests.kafka_server_fixture import Broker
from tests.servers import Server
from tests.suites.installation import kafka_settings


@pytest.fixture(params=["streams", "kafka"])
def bus(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Settings of both ways to run: all embedded, and on servers of their own."""
    if request.param == "streams":
        return {}
    broker: Broker = request.getfixturevalue("own_kafka")
    server: Server = request.getfixturevalue("valkey")
    return kafka_settings(broker, server)
