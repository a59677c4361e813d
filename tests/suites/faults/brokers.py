"""The brokers of a plant, one or three, each with a proxy before it through which all clients come."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final, NamedTuple

from router.runtime.errors import EmbeddedServerError
from router.runtime.servers.kafka_server import KafkaPorts, KafkaServer, free_ports, new_cluster_id, start_kafka
from tests.kafka_server_fixture import cache_dir
from tests.suites.faults.proxy import Proxy, to_port

_ATTEMPTS: Final = 3
_HEAP_MB: Final = 256
_SHORT_SESSIONS: Final = {"group.min.session.timeout.ms": "1000"}


class Brokers(NamedTuple):
    """All brokers of one cluster, and the proxies before them in the same order."""

    servers: Sequence[KafkaServer]
    proxies: Sequence[Proxy]

    @property
    def address(self) -> str:
        """As clients see it: any that lives tells of the others."""
        return ",".join(f"127.0.0.1:{proxy.port}" for proxy in self.proxies)


class _Node(NamedTuple):
    number: int
    ports: KafkaPorts
    inside: int
    proxy: Proxy


async def start_brokers(stack: AsyncExitStack, folder: Path, count: int) -> Brokers:
    """Running brokers, ended and their proxies closed when the stack unwinds."""
    proxies = [Proxy(to_port(0)) for _ in range(count)]
    for proxy in proxies:
        await proxy.open()
        stack.push_async_callback(proxy.close)
    for attempt in range(_ATTEMPTS):
        try:
            servers = await _started(folder / f"kafka-{attempt}", proxies)
        except EmbeddedServerError:  # somebody else took a port in between
            if attempt + 1 == _ATTEMPTS:
                raise
            continue
        for server in servers:
            stack.push_async_callback(server.kill)
        return Brokers(servers, proxies)
    raise AssertionError("unreachable")


async def _started(folder: Path, proxies: Sequence[Proxy]) -> list[KafkaServer]:
    nodes = [_Node(number, free_ports(), free_ports().clients, proxy) for number, proxy in enumerate(proxies, 1)]
    for node in nodes:
        node.proxy.aim(to_port(node.ports.clients))
    cluster_id, cache = new_cluster_id(), cache_dir()
    starting = (
        start_kafka(
            folder / str(node.number),
            cache_dir=cache,
            ports=node.ports,
            heap_mb=_HEAP_MB,
            settings=_settings(node, nodes),
            cluster_id=cluster_id,
        )
        for node in nodes
    )
    started = await asyncio.gather(*starting, return_exceptions=True)
    servers = [each for each in started if isinstance(each, KafkaServer)]
    for each in started:
        if isinstance(each, BaseException):
            await asyncio.gather(*(server.kill() for server in servers))
            raise each
    return servers


def _settings(node: _Node, nodes: Sequence[_Node]) -> dict[str, str]:
    """What one node is told over what a lone one is. Brokers talk to each other past the proxies."""
    clients, inside = f"PLAINTEXT://127.0.0.1:{node.proxy.port}", f"INSIDE://127.0.0.1:{node.inside}"
    if len(nodes) == 1:
        return {**_SHORT_SESSIONS, "advertised.listeners": clients}
    copies = str(len(nodes))
    return {
        **_SHORT_SESSIONS,
        "node.id": str(node.number),
        "controller.quorum.voters": ",".join(f"{each.number}@127.0.0.1:{each.ports.controller}" for each in nodes),
        "listeners": (
            f"PLAINTEXT://127.0.0.1:{node.ports.clients},CONTROLLER://127.0.0.1:{node.ports.controller},{inside}"
        ),
        "advertised.listeners": f"{clients},{inside}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,INSIDE:PLAINTEXT",
        "inter.broker.listener.name": "INSIDE",
        "offsets.topic.replication.factor": copies,
        "transaction.state.log.replication.factor": copies,
        "min.insync.replicas": str(len(nodes) - 1),
    }
