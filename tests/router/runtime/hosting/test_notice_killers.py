"""Notices whose sending ends the process: told from those that were only in hand when it stopped."""

import asyncio
from collections.abc import Sequence

import msgspec

from router.contract.codec import header
from router.runtime.hosting.notice_sender import PROMPT
from router.runtime.hosting.suspects import MOST
from router.runtime.notifiers import Bulletin, NotifierHost, OpenNotifier, Target
from router.runtime.plugins import SendResult, sent
from tests.suites.eventually import eventually
from tests.suites.ledger import MortalLedger
from tests.suites.notices import NoticeWorld, notice, telling


class NoOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class Stuck:
    """A notifier that doesn't come back from sending before it is let go on."""

    name = "stuck"

    def __init__(self) -> None:
        self.given: list[str] = []
        self.again: list[bool] = []
        self.goes_on = asyncio.Event()

    def options_type(self) -> type[NoOptions]:
        return NoOptions

    async def open(self, targets: Sequence[Target[NoOptions]], host: NotifierHost) -> OpenNotifier:
        return self

    async def send(self, told: Bulletin) -> SendResult:
        self.given.append(told.id)
        self.again.append(told.again)
        await self.goes_on.wait()
        return sent()

    async def close(self, within_s: float) -> None:
        """Nothing is held."""


def world_of(stuck: Stuck, ledger: MortalLedger) -> NoticeWorld:
    targets = [Target(id="desk", options=NoOptions())]
    return NoticeWorld({stuck.name: (stuck, targets)}, ledger=ledger, policy=PROMPT)


async def test_a_notice_that_keeps_killing_lies_in_the_dead_letters() -> None:
    ledger = MortalLedger()
    stuck = Stuck()
    async with telling(world_of(stuck, ledger)) as world:
        await world.publish(notice())
        for lives in range(1, MOST + 1):
            await eventually(lambda: len(stuck.given) == lives)  # noqa: B023
            ledger.is_dead = True
            await world.end(0)
            ledger.is_dead = False
            await world.begin()
        (letter,) = await eventually(world.letters)
        assert header(letter.headers, "turnout-reason") == "NoticeFailed: sending it has ended the process 5 times"
        await world.end()
        assert stuck.again == [False, *[True] * (MOST - 1)]
        assert len(stuck.given) == MOST
        assert await world.unfinished() == []


async def test_a_notice_whose_process_stopped_in_good_order_is_sent_by_the_next() -> None:
    stuck = Stuck()
    async with telling(world_of(stuck, MortalLedger())) as world:
        await world.publish(notice())
        for lives in range(1, MOST + 2):
            await eventually(lambda: len(stuck.given) == lives)  # noqa: B023
            await world.end(0)
            await world.begin()
        stuck.goes_on.set()
        await world.counts("sent")
        assert await world.letters() == []
