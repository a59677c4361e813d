"""How long ``turnout rebuild`` takes from an emptied store until acts may go on."""

import asyncio
import itertools
import os
import re
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from msgspec.structs import replace

from router.contract import topics
from router.contract.ids import PoolId
from router.runtime.bus.protocol import Outgoing
from router.service.relaying.notes import note_record
from router.service.relaying.records import records_of
from tests.bench.ground import Ground, relayed
from tests.bench.results import Sample
from tests.bench.script import Author
from tests.bench.traffic import inquiry, record
from tests.suites.installation import Process

_MODELS: Final = 40
_AT_ONCE: Final = 1_000
_SPACE: Final = uuid.UUID("c7d0a8f5-4f10-5a1c-8d0e-2b6f9a1e7d33")
_NUMBER: Final = re.compile(rb'"number":\d+')
_ADVISOR: Final = re.compile(rb"advisor-\d{4}")
_RSS_UNIT: Final = 1 if sys.platform == "darwin" else 1_024


async def measure(ground: Ground, run: int) -> Sample:
    """Open cases lie on the bus, each with its inquiry: a quarter of them offered, a quarter taken, half of them
    answered besides. The store holds nothing.

    The cases are copies of a few that the real intake and casework made, with ids of their own, spread over all
    advisors. ``cpu`` and ``memory`` (at its peak) are those of the command, without the servers."""
    pool, count = PoolId(f"rebuild-{run}"), ground.scale.open_cases
    async with ground.service(pool, ready=True):
        begun = (await ground.store.status(pool)).number  # the rules and all advisors are on the bus by then
        await relayed(ground.store, pool, begun, within_s=ground.scale.longest_s)
    numbers = itertools.count(begun + 1)
    copies = _copies(await _models(ground, pool), count, numbers, advisors=ground.scale.advisors)
    for page in _paged(copies):
        await ground.bus.publish(page)
    last = next(numbers) - 1
    await ground.bus.publish([note_record(pool, 1, last, at_ms=int(time.time() * 1_000))])
    await ground.wipe(pool)
    spent = await asyncio.to_thread(_rebuild, ground, pool)
    assert f"rebuilt {count} cases" in spent.told, spent.told
    parts = {
        "cpu": (spent.cpu_s, "s"),
        "memory": (spent.memory_mb, "MB"),
        "cases": (count / spent.wall_s, "cases/s"),
    }
    return Sample(value=spent.wall_s, parts=parts)


class Model(NamedTuple):
    """What the bus has of one case. ``ids`` are those that a copy has of its own, all of the same length."""

    records: Sequence[Outgoing]
    ids: Sequence[bytes]


async def _models(ground: Ground, pool: PoolId) -> list[Model]:
    author = Author(ground, pool)
    await author.open()
    made = []
    for number in range(_MODELS):
        message = inquiry(pool, number)
        entries = await author.part(message, acts=min(number % 4, 2))
        told = [each for entry in entries for each in records_of(pool, entry)]
        replies = [each.headers for each in told if each.topic == topics.REPLIES]
        ids = [message.id.encode(), *(dict(headers)["ce_id"] for headers in replies)]
        made.append(Model([record(message), *told], ids))
    return made


def _copies(models: Sequence[Model], count: int, numbers: Iterator[int], *, advisors: int) -> Iterator[Outgoing]:
    """The records of so many cases."""
    for case in range(count):
        model = models[case % len(models)]
        new = {old: str(uuid.uuid5(_SPACE, f"{case}/{at}")).encode() for at, old in enumerate(model.ids)}
        advisor = b"advisor-%04d" % (case % advisors)
        number = b""
        for one in model.records:
            value, key = one.value or b"", one.key.encode()
            for old, own in new.items():
                value, key = value.replace(old, own), key.replace(old, own)
            if one.topic == topics.EVENTS:  # the record of the case that follows it has the same
                number = b'"number":%d' % next(numbers)
            value = _ADVISOR.sub(advisor, _NUMBER.sub(number, value) if number else value)
            yield replace(one, key=key.decode(), value=value)


def _paged(records: Iterator[Outgoing]) -> Iterator[Sequence[Outgoing]]:
    while page := list(itertools.islice(records, _AT_ONCE)):
        yield page


class Spent(NamedTuple):
    told: str
    wall_s: float
    cpu_s: float
    memory_mb: float


def _rebuild(ground: Ground, pool: PoolId) -> Spent:
    """The command as an operator gives it, in a process of its own."""
    command = Process(ground.folder, ground.settings(pool, "rebuild"), name="rebuild").command("rebuild", "--yes")
    began = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        told = process.stdout.read().decode()
        _, code, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(code)
    assert process.returncode == 0, told
    wall_s = time.monotonic() - began
    return Spent(told, wall_s, used.ru_utime + used.ru_stime, used.ru_maxrss * _RSS_UNIT / (1 << 20))
