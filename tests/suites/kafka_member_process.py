"""A member of a group in a process of its own, to be killed and frozen. Run as a script:

``kafka_member_process.py BOOTSTRAP GROUP TOPIC``

It reads until it has 20 records (``epoch N``, ``read N``), then does what the lines of its standard input
say: ``commit`` all it has read (``committed N`` partitions), ``poll`` until it is told of a hand-over
(``told revoked|lost``). Between them it doesn't poll.
"""

import asyncio
import sys
from collections.abc import Mapping

from router.runtime.bus.kafka import KafkaBus
from router.runtime.bus.kafka_client import KafkaOptions
from router.runtime.bus.protocol import Partition, Record, Subscription

RECORDS = 20


def say(*words: object) -> None:
    print(*words, flush=True)  # noqa: T201


class Told:
    """A ``Rebalance`` that says what it hears."""

    def __init__(self) -> None:
        self.given_up = False

    async def assigned(self, partitions: Mapping[Partition, int]) -> None:
        say("epoch", max(partitions.values()))

    async def revoked(self, partitions: frozenset[Partition]) -> None:
        self.given_up = True
        say("told", "revoked")

    async def lost(self, partitions: frozenset[Partition]) -> None:
        self.given_up = True
        say("told", "lost")


async def act(word: str, member: Subscription, told: Told, found: list[Record]) -> None:
    if word == "commit":
        took = await member.commit({each.partition: (each.epoch, each.offset + 1) for each in found})
        say("committed", len(took))
    if word == "poll":
        while not told.given_up:
            await member.poll(max_records=100, timeout_ms=100)


async def main(bootstrap: str, group: str, topic: str) -> None:
    bus = KafkaBus(KafkaOptions(bootstrap=bootstrap, session_s=2, heartbeat_s=0.3))
    told = Told()
    member = await bus.subscribe(group, [topic], told)
    found: list[Record] = []
    while len(found) < RECORDS:
        found += await member.poll(max_records=100, timeout_ms=100)
    say("read", len(found))
    while line := await asyncio.to_thread(sys.stdin.readline):
        await act(line.strip(), member, told, found)
    await bus.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
