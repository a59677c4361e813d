"""A process that tells staff and does nothing else, to be killed at named moments. Run as a script:

``notice_process.py STORE_URL TASK [BOOTSTRAP]``; TASK is the JSON of a ``Task``. The ledger lies in the store, and so
does the bus, unless BOOTSTRAP names Kafka. At the moment that the task names it ends itself by SIGKILL. Each line of
its input is answered with how many notices it has in hand and how many have ended here; at the line ``stop`` it ends in
good order.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec
from obstore.store import MemoryStore
from prometheus_client import CollectorRegistry

from channels.notify.webhook import WebhookTargetOptions, notifier
from router.contract.ids import ReplyId
from router.runtime.blobs import Blobs
from router.runtime.bus.kafka import KafkaBus
from router.runtime.bus.kafka_client import KafkaOptions
from router.runtime.bus.protocol import Bus
from router.runtime.bus.streams import StreamsBus
from router.runtime.chat_log import MemoryChatLog
from router.runtime.clock import SystemClock
from router.runtime.hosting.channel_role import RoleParts
from router.runtime.hosting.notice_metrics import NoticeOutcome
from router.runtime.hosting.notice_role import NoticeRole
from router.runtime.hosting.reply_sender import SendPolicy
from router.runtime.ledger import Ledger, LedgerEntry, LedgerOver
from router.runtime.ledger_redis import RedisLedger
from router.runtime.ledger_settling import SettlingLedger
from router.runtime.notifiers import Pace, Target
from router.runtime.redis import connect
from router.runtime.secret import Secret
from router.runtime.settings.tree import build
from router.runtime.signer import Signer

LEASE_MS = 1_000
TARGET = "desk"


class Moment(StrEnum):
    """When it ends: around a claim (``sending``), or around the writing of an outcome (``sent``, ``failed``)."""

    BEFORE_CLAIM = "before-claim"
    AFTER_CLAIM = "after-claim"
    BEFORE_OUTCOME = "before-outcome"
    AFTER_OUTCOME = "after-outcome"


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What one process is to do, and the moment at which it ends, the ``nth`` time; None: it lives."""

    options: dict[str, Any]
    group_s: float = 0.3
    per_minute: float = 6_000.0
    dies: Moment | None = None
    nth: int = 1
    give_up_s: float = 3600.0


class DyingLedger(LedgerOver):
    """A ledger whose process is killed at a moment."""

    def __init__(self, ledger: Ledger, task: Task) -> None:
        super().__init__(ledger)
        self._dies = task.dies
        self._left = task.nth

    async def claim(
        self, reply: ReplyId, *, attempt: str, now_ms: int, published_at_ms: int | None = None
    ) -> LedgerEntry | None:
        self._reached(Moment.BEFORE_CLAIM)
        found = await super().claim(reply, attempt=attempt, now_ms=now_ms, published_at_ms=published_at_ms)
        self._reached(Moment.AFTER_CLAIM)
        return found

    async def settle(self, reply: ReplyId, final: LedgerEntry) -> LedgerEntry:
        self._reached(Moment.BEFORE_OUTCOME)
        written = await super().settle(reply, final)
        self._reached(Moment.AFTER_OUTCOME)
        return written

    def _reached(self, moment: Moment) -> None:
        if moment is self._dies:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


def bus_of(url: str, bootstrap: str = "") -> Bus:
    """Of Kafka, or, without an address of it, in the store."""
    if bootstrap:
        return KafkaBus(KafkaOptions(bootstrap=bootstrap, session_s=2, heartbeat_s=0.3))
    return StreamsBus(url, lease_ms=LEASE_MS, stop_s=2)


def target_of(options: Mapping[str, Any], pace: Pace) -> Target[WebhookTargetOptions]:
    problems: list[str] = []
    built = build(WebhookTargetOptions, dict(options), problems=problems)
    assert built is not None, problems
    return Target(id=TARGET, options=built, pace=pace)


async def main(url: str, text: str, bootstrap: str = "") -> None:
    task = msgspec.json.decode(text, type=Task)
    bus, clock, registry = bus_of(url, bootstrap), SystemClock(), CollectorRegistry()
    commands = connect(url)
    ledger = DyingLedger(SettlingLedger(RedisLedger(commands), bus, clock=clock, loses_nothing=not bootstrap), task)
    signer = Signer([Secret("x" * 32)])
    parts = RoleParts(bus, ledger, Blobs(MemoryStore(), signer), signer, clock, registry, MemoryChatLog())
    made = notifier()
    pace = Pace(group_s=task.group_s, group_most_s=max(1.0, task.group_s), per_minute=task.per_minute)
    policy = SendPolicy(send_s=5.0, first_wait_s=0.2, longest_wait_s=0.5, give_up_s=task.give_up_s)
    role = NoticeRole(
        parts,
        notifiers={made.name: (made, [target_of(task.options, pace)])},
        on_failure=lambda error: os.abort(),
        policy=policy,
    )
    await role.start()
    while (await asyncio.to_thread(sys.stdin.readline)).strip() not in ("", "stop"):
        print(*_counts(registry), flush=True)  # noqa: T201
    await role.close(2.0)
    await bus.close()
    await commands.close()


def _counts(registry: CollectorRegistry) -> tuple[int, int]:
    ended = [registry.get_sample_value("turnout_notices_total", {"outcome": each}) or 0 for each in NoticeOutcome]
    return int(registry.get_sample_value("turnout_notices_in_hand") or 0), int(sum(ended))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
