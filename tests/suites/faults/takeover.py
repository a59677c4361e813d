"""A replica of the state server promoted while the old primary lives on, half of the processes still with it.

As the operators' guide has it: with ``min-replicas-to-write 1`` an old primary that lost its replica takes no writes
any more, and whoever promotes waits for longer than ``min-replicas-max-lag`` first.
"""

import asyncio
import re
from random import Random
from typing import Final

from router.runtime.servers.kafka_server import free_ports
from tests.servers import Server
from tests.suites.eventually import eventually
from tests.suites.faults.gathering import POOL, StoreView
from tests.suites.faults.plant import Plant
from tests.suites.faults.proxy import Proxy, to_port, to_socket
from tests.suites.faults.scenes import Fault, Findings, pass_s

PROMOTED: Final = "replica promoted"
REFUSED: Final = "refused without a replica"
TAIL: Final = "acts that only the old one has"
_CODE: Final = "NOREPLICAS"
_MAX_LAG_S: Final = 2
_SPLIT_S: Final = 4.0
_WITHIN_S: Final = 30.0


async def promote(place: Plant, random: Random, _: Findings) -> None:
    """The replica is cut off, misses what comes then, and is promoted; both halves find each other at it."""
    old = place.store
    new = await asyncio.to_thread(Server, old.kind, append_fsync="no")
    place.stack.callback(new.close)
    view, successor = StoreView(old.url), StoreView(new.url)
    try:
        link = await _followed(place, old, new, view)
        link.hold()  # the old one believes in its replica for a while, and goes on
        await _write_more(place, random)
        await pass_s(_MAX_LAG_S + 1.0)  # by now it refuses
        place.bites[TAIL] += (await view.store.status(POOL)).number - (await successor.store.status(POOL)).number
        assert new.ask("REPLICAOF NO ONE") == b"+OK"
        place.bites[PROMOTED] += 1
        ways = place.store_proxies
        random.shuffle(ways)
        half = len(ways) // 2
        _turn(ways[:half], new)
        await pass_s(_SPLIT_S)
        place.bites[REFUSED] += await view.refused(_CODE)
        _turn(ways[half:], new)
    finally:
        await view.close()
        await successor.close()
    place.store = new
    await asyncio.to_thread(old.close)


async def _followed(place: Plant, old: Server, new: Server, view: StoreView) -> Proxy:
    """The way on which the new server follows the old one, once it has all of it."""
    port = free_ports().clients
    told = (
        f"CONFIG SET port {port} repl-diskless-sync-delay 0 repl-ping-replica-period 1",
        f"CONFIG SET min-replicas-max-lag {_MAX_LAG_S}",
    )
    for command in told:
        assert old.ask(command) == b"+OK"
    link = Proxy(to_port(port))
    await link.open()
    place.stack.push_async_callback(link.close)
    assert new.ask(f"REPLICAOF 127.0.0.1 {link.port}") == b"+OK"
    await eventually(lambda: _is_online(view), within_s=_WITHIN_S)
    assert old.ask("CONFIG SET min-replicas-to-write 1") == b"+OK"
    return link


async def _is_online(view: StoreView) -> bool:
    return re.search(r"^slave0:.*state=online.*lag=[01]\b", await view.info("replication"), re.MULTILINE) is not None


async def _write_more(place: Plant, random: Random) -> None:
    """Without waiting for answers: what the old one takes now the new one will not have."""
    name = f"tail-{random.randint(0, 999)}"
    await asyncio.gather(*(place.writers.say(f"{name}-{number}", f"{name}-{number}-a", "hello") for number in range(8)))


def _turn(ways: list[Proxy], server: Server) -> None:
    for proxy in ways:
        proxy.aim(to_socket(str(server.socket)))
        proxy.cut()


TAKEOVER_FAULTS: Final = (
    Fault(name="replica promoted, old primary lives", strike=promote, wants=(PROMOTED, REFUSED, TAIL)),
)
