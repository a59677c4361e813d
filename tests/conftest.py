"""Servers that the whole session shares, and how they are asked for.

* ``redis_server``: Valkey 9 and Redis 7 in turn, emptied before each test; ``valkey``, ``redis7``: one of
  them. Their log is not synced: nothing about durability may be tested on them.
* ``kafka``, ``own_kafka``, ``fresh_kafka``: a broker for the session, for a module, for one test.
* ``own_server``: both in turn, a fresh one for the test alone, synced, to be killed and frozen.
"""

import signal
from collections.abc import Iterator

import pytest

# A shell's background job ignores Ctrl-C, and so would every child of the tests: with a handler here they begin
# with the system's default.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Suites are imported by test modules; without this, before any of them, their assertions would not say what
# they saw.
pytest.register_assert_rewrite("tests.suites")

from tests.kafka_server_fixture import Broker, kafka, own_kafka, running_broker  # noqa: E402
from tests.servers import KINDS, Server, running  # noqa: E402

__all__ = ["kafka", "own_kafka"]


@pytest.fixture(scope="session")
def _valkey_of_session() -> Iterator[Server]:
    yield from running("valkey", append_fsync="no")


@pytest.fixture(scope="session")
def _redis7_of_session() -> Iterator[Server]:
    yield from running("redis7", append_fsync="no")


@pytest.fixture
def valkey(_valkey_of_session: Server) -> Server:
    _valkey_of_session.clear()
    return _valkey_of_session


@pytest.fixture
def redis7(_redis7_of_session: Server) -> Server:
    _redis7_of_session.clear()
    return _redis7_of_session


@pytest.fixture(params=KINDS)
def redis_server(request: pytest.FixtureRequest) -> Server:
    server: Server = request.getfixturevalue(request.param)
    return server


@pytest.fixture(params=KINDS)
def own_server(request: pytest.FixtureRequest) -> Iterator[Server]:
    yield from running(request.param)


@pytest.fixture
def fresh_kafka() -> Iterator[Broker]:
    """A Kafka broker of its own for one test, to be killed and frozen."""
    yield from running_broker()
