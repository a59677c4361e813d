"""The bus on streams passes the suites, on Valkey 9 and on Redis 7."""

import pytest

from router.runtime.bus.protocol import Bus
from router.runtime.bus.streams import StreamsBus
from tests.servers import Server
from tests.suites.bus import BusSuite
from tests.suites.bus_checks import Cluster, FragileCluster
from tests.suites.bus_faults import FragileBusSuite


class _Streams:
    compacts_at_once = True

    def __init__(self, server: Server) -> None:
        self._server = server
        self.child_target: str | None = f"streams {server.url}"

    def open(self) -> Bus:
        return StreamsBus(self._server.url, lease_ms=1000, stop_s=2)

    async def outlast_lease(self) -> None: ...

    def kill(self) -> None:
        self._server.kill()

    async def restart(self) -> None:
        self._server.start()

    def freeze(self) -> None:
        self._server.freeze()

    def thaw(self) -> None:
        self._server.thaw()


class TestStreamsBus(BusSuite):
    @pytest.fixture
    def cluster(self, redis_server: Server) -> Cluster:
        return _Streams(redis_server)


class TestStreamsBusWhenItsServerFails(FragileBusSuite):
    @pytest.fixture
    def cluster(self, own_server: Server) -> FragileCluster:
        return _Streams(own_server)
