"""Faults in what desks do by themselves: work put aside for what interrupts, wrap-ups, bells that ring at two.

The customers of these channels have no adapter here: what they write is put on the bus as any adapter would.
"""

import asyncio
import contextlib
from collections.abc import Iterator
from random import Random
from typing import Final

from channels.webhook.normalise import CONVERSATION
from router.contract.advisor import WorkKind
from router.contract.codec import encode
from router.contract.ids import AccountId, conversation_id, inquiry_id
from router.contract.messages import Address, Customer, Inquiry
from router.contract.records import record_head
from router.runtime.bus.protocol import Outgoing
from tests.suites.crowd import Talk
from tests.suites.eventually import eventually
from tests.suites.faults import gathering
from tests.suites.faults.gathering import POOL, StoreView
from tests.suites.faults.history import Kind
from tests.suites.faults.people import RecordedWorker, now_ms
from tests.suites.faults.plant import ROUTERS, Plant
from tests.suites.faults.proxy import Bite, is_act
from tests.suites.faults.scenes import Fault, Findings

PARKED: Final = "put aside"
TAKEN_UP: Final = "taken up again"
WRAPPING_UP: Final = "wrapped up as routers died"
ASKED: Final = "asked for advice"
CAME_IN: Final = "came in to advise"
TWO_BELLS: Final = "rang at two"
TOO_LATE: Final = "the other was faster"
_ACCOUNT: Final = AccountId("webhook-account")
_LETTERS: Final = 11
"""As many as all advisors have room for."""
_CALLS: Final = 3
_BELLS: Final = 8
_WITHIN_S: Final = 90.0


async def interrupted(place: Plant, random: Random, _: Findings) -> None:
    """Desks are full of letters as calls come: letters are put aside as routers die, the calls are taken and wrapped up
    as routers die once more, and everybody goes on with his own letters."""
    view = StoreView(place.store.url)
    name = f"desk-{random.randint(0, 999)}"
    try:
        with letters_lie(place.workers):
            letters = await asyncio.gather(*(_write(place, "letter", f"{name}-l{n}") for n in range(_LETTERS)))
            await eventually(lambda: _has(view, WorkKind.CASE, "letter", _LETTERS - 1), within_s=_WITHIN_S)
            calls = await asyncio.gather(*(_write(place, "call", f"{name}-c{n}") for n in range(_CALLS)))
            await eventually(lambda: _has(view, WorkKind.PARKED, "letter", 1), within_s=_WITHIN_S)
            place.bites[PARKED] += 1
            _kill_routers(place)
            await eventually(lambda: _has(view, WorkKind.WRAP_UP, "call", 1), within_s=_WITHIN_S)
            place.bites[WRAPPING_UP] += 1
            _kill_routers(place)
            await _heard(calls)
        await _heard(letters)
        place.bites[TAKEN_UP] += await _count(place, "unpark")
    finally:
        await view.close()


async def two_accept(place: Plant, random: Random, _: Findings) -> None:
    """Cases ring at two advisors, who both go for them, while the store's answers to them get lost."""
    api, name = place.parts["api"].store, f"bell-{random.randint(0, 999)}"
    api.lose_reply_to(is_act("accept"), times=2)
    begun = len(place.history.entries)
    talks = await asyncio.gather(*(_write(place, "bell", f"{name}-{n}") for n in range(_BELLS)))
    await _heard(talks)
    refs = {talk.ids[0] for talk in talks}
    for heard in await gathering.events(place.bus):
        if heard.event.case.last_inquiry in refs and len(heard.event.case.offers) > 1:
            place.bites[TWO_BELLS] += 1
    for entry in place.history.entries[begun:]:
        place.bites[TOO_LATE] += entry.what == "accept" and entry.kind is Kind.FAIL


async def advised(place: Plant, random: Random, _: Findings) -> None:
    """Whoever has a letter asks for advice; routers die as colleagues are rung for it, who come in all the same."""
    view, name = StoreView(place.store.url), f"advice-{random.randint(0, 999)}"

    async def ask_all() -> bool:
        for each in await view.people():
            worker = next(one for one in place.workers if one.name == each.id)
            for case, item in each.work.items():
                if item.kind is WorkKind.CASE and item.channel == "letter":
                    answer = await worker.ask("consult", case=case, queue="general")
                    place.bites[ASKED] += answer["type"] == "result"
        return place.bites[ASKED] > asked

    try:
        with letters_lie(place.workers):
            letters = await asyncio.gather(*(_write(place, "letter", f"{name}-{n}") for n in range(_CALLS)))
            asked = place.bites[ASKED]
            await eventually(ask_all, within_s=_WITHIN_S)
            _kill_routers(place)
            await eventually(lambda: _has(view, WorkKind.CONSULT, "letter", 1), within_s=_WITHIN_S)
            place.bites[CAME_IN] += 1
        await _heard(letters)
    finally:
        await view.close()


@contextlib.contextmanager
def letters_lie(workers: list[RecordedWorker]) -> Iterator[None]:
    """Within the block letters are taken and not answered; then whoever has one goes on."""
    for worker in workers:
        worker.left_lying = "letter"
    try:
        yield
    finally:
        for worker in workers:
            worker.left_lying = ""
            worker.look_through()


async def _write(place: Plant, channel: str, thread: str) -> Talk:
    """A customer of another channel writes, and is answered through the plant's own."""
    ref, who, name = f"{thread}-a", f"customer-{thread}", f"talk {thread}"
    inquiry = Inquiry(
        id=inquiry_id(_ACCOUNT, ref),
        pool=POOL,
        account=_ACCOUNT,
        channel=channel,
        conversation=conversation_id(_ACCOUNT, name),
        customer=Customer(id=who),
        reply_to=Address(account=_ACCOUNT, address=who),
        received_at_ms=now_ms(),
        text=f"hello <{ref}>",
        thread={CONVERSATION: name},
    )
    head = record_head(inquiry)
    await place.bus.publish([Outgoing(topic=head.topic, key=head.key, value=encode(inquiry), headers=head.headers)])
    return place.writers.wrote(inquiry, thread, ref)


async def _heard(talks: list[Talk]) -> None:
    await asyncio.gather(*(asyncio.wait_for(talk.heard.wait(), _WITHIN_S) for talk in talks))


async def _has(view: StoreView, kind: WorkKind, channel: str, at_least: int) -> bool:
    items = [item for each in await view.people() for item in each.work.values()]
    return sum(item.kind is kind and item.channel == channel for item in items) >= at_least


async def _count(place: Plant, act: str) -> int:
    told = {heard.event.id for heard in await gathering.events(place.bus) if f".{act}." in heard.event.type}
    return len(told)


def _kill_routers(place: Plant) -> None:
    for name in ROUTERS:
        place.kill(name)


DESK_FAULTS: Final = (
    Fault(name="routers killed as work is put aside", strike=interrupted, wants=(PARKED, WRAPPING_UP, TAKEN_UP)),
    Fault(name="routers killed as advice is asked", strike=advised, wants=(ASKED, CAME_IN)),
    Fault(
        name="two accept what rings at both",
        strike=two_accept,
        wants=(TWO_BELLS, TOO_LATE, f"store: {Bite.REPLY_LOST}"),
    ),
)
