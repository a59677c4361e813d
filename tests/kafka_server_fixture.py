"""A real Kafka for tests.

* ``kafka``: one broker for the whole session: ``TURNOUT_TEST_KAFKA`` (host:port; it must allow sessions of a
  second by ``group.min.session.timeout.ms`` and absent topics to be absent) if set, else one of our own.
  Give every test topics and groups of its own (``unique``).
* ``own_kafka``: a broker of our own for the tests of one module, which may freeze, kill and restart it, and
  leave it running; ``fresh_kafka``: one for a single test.
"""

import asyncio
import os
import shutil
import tempfile
import uuid
from collections.abc import Coroutine, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import pytest

from router.runtime.errors import EmbeddedServerError
from router.runtime.servers.kafka_install import default_cache_dir, ensure_installed, find_java
from router.runtime.servers.kafka_server import KafkaPorts, KafkaServer, start_kafka
from tests.suites import processes

T = TypeVar("T")

# Small enough for tests of members that are too slow; a client still has to ask for so little.
_SETTINGS = {"group.min.session.timeout.ms": "1000"}


def unique(name: str) -> str:
    """A name that no other test uses, for topics and groups."""
    return f"{name}-{uuid.uuid4().hex[:12]}"


class Broker:
    """A broker of our own, for tests that mistreat it. Its methods may be called while a loop runs."""

    def __init__(self, server: KafkaServer) -> None:
        self.server = server
        self.bootstrap = server.bootstrap

    def freeze(self) -> None:
        """It stays connected and answers nothing."""
        processes.freeze(self.server.pid)

    def thaw(self) -> None:
        processes.thaw(self.server.pid)


def cache_dir() -> Path:
    """Kafka's programs, or the end of the test: skipped on a laptop, failed in CI."""
    cache = default_cache_dir(dict(os.environ))
    try:
        find_java()
        ensure_installed(cache)
    except EmbeddedServerError as exc:
        reason = f"no Kafka here: {exc}; or set TURNOUT_TEST_KAFKA=host:port"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return cache


@pytest.fixture(scope="session")
def kafka() -> Iterator[str]:
    """The bootstrap address of the session's broker."""
    if address := os.environ.get("TURNOUT_TEST_KAFKA"):
        yield address
        return
    with_server = running_broker()
    yield next(with_server).bootstrap
    next(with_server, None)


@pytest.fixture(scope="module")
def own_kafka() -> Iterator[Broker]:
    """A broker to be frozen, killed and restarted."""
    yield from running_broker()


def running_broker(*, ports: KafkaPorts | None = None, settings: Mapping[str, str] = _SETTINGS) -> Iterator[Broker]:
    """For a fixture: a broker that may be left in any state."""
    cache = cache_dir()
    directory = Path(tempfile.mkdtemp(prefix="turnout-test-kafka-"))
    try:
        broker = Broker(_run(start_kafka(directory, cache_dir=cache, ports=ports, settings=settings)))
        try:
            yield broker
        finally:
            _run(broker.server.kill())
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _run(doing: Coroutine[Any, Any, T]) -> T:
    # A loop of its own: asyncio.run would take the test's loop away.
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(doing)
    finally:
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
