"""Advisors in trouble with an offer: cut off from it, asking for it twice, asking for it as it ends."""

import asyncio
import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from datetime import datetime
from random import Random
from typing import Final

import aiohttp

from router.runtime.clock import SystemClock
from tests.suites.crowd import Line
from tests.suites.crowd_advisor import Frame
from tests.suites.eventually import eventually
from tests.suites.faults.history import Entry, Kind
from tests.suites.faults.people import RecordedWorker, now_ms
from tests.suites.faults.plant import Plant
from tests.suites.faults.scenes import Fault, Findings

MOVED: Final = "cut off in an offer"
TAKEN_ELSEWHERE: Final = "taken at another replica"
IN_TWO_TABS: Final = "accepted in two tabs"
AT_THE_END: Final = "accepted as it expired"
TOO_LATE: Final = "came too late"
IN_TIME: Final = "came in time"
_REPLICA: Final = "api-1"
_TIMES: Final = 6
_AROUND_MS: Final = 60
_WITHIN_S: Final = 90.0
_ANSWER_S: Final = 30.0

AtOffer = Callable[[RecordedWorker, Frame], bool]


@contextmanager
def at_offers(workers: list[RecordedWorker], act: AtOffer) -> Iterator[None]:
    """Within the block ``act`` sees each offer."""
    for worker in workers:
        worker.at_offer = act
    try:
        yield
    finally:
        for worker in workers:
            worker.at_offer = None


async def offers_on_cut_sessions(place: Plant, random: Random, _: Findings) -> None:
    """The session breaks as an offer comes in; he is back at another replica of the API, and takes it there."""
    other = Line()
    other.open(await _replica(place))
    moving: dict[str, asyncio.Task[None]] = {}
    offered: list[tuple[str, str]] = []

    def cut_off(worker: RecordedWorker, offer: Frame) -> bool:
        if worker.name in moving:
            return False
        moving[worker.name] = asyncio.create_task(worker.move_to(other), name=f"{worker.name} moves")
        offered.append((worker.name, offer["case"]))
        place.bites[MOVED] += 1
        return True

    def taken_elsewhere() -> list[str]:
        known = {(entry.who, entry.ref) for entry in place.history.entries if (entry.what, entry.kind) == _TAKEN}
        return [case for who, case in offered if (who, case) in known]

    with at_offers(place.workers, cut_off):
        await _write_until(place, lambda: bool(taken_elsewhere()), random)
    await asyncio.gather(*moving.values())
    place.bites[TAKEN_ELSEWHERE] += len(taken_elsewhere())


_TAKEN: Final = ("accept", "ok")


async def _replica(place: Plant) -> str:
    """The address of another API, started for the first who asks."""
    part = place.parts.get(_REPLICA) or await place.add(_REPLICA, "api")
    await eventually(lambda: part.running is not None, within_s=_WITHIN_S)
    assert part.running is not None
    return part.running.api


async def _write_until(place: Plant, is_enough: Callable[[], bool], random: Random) -> None:
    """Customers write until that is so."""
    for number in itertools.count():
        await place.writers.wave(f"offers-{random.randint(0, 999)}-{number}", 8, at_once=8, seed=number)
        if is_enough():
            return
        assert number < _TIMES, "it did not come about"


async def accepted_in_two_tabs(place: Plant, random: Random, _: Findings) -> None:
    """Each has a second session, and both ask for the same offer in the same moment."""
    ops, asking = itertools.count(1), set[asyncio.Task[None]]()
    name = f"tab-{random.randint(0, 10**6)}"
    async with AsyncExitStack() as stack:
        tabs = {worker.name: _Tab(await stack.enter_async_context(worker.tab())) for worker in place.workers}

        def ask_twice(worker: RecordedWorker, offer: Frame) -> bool:
            frame = {"type": "accept", "case": offer["case"], "offer_ver": offer["offer_ver"]}
            op = f"{worker.name}-{name}-{next(ops)}"
            second = _accept(place, worker.name, tabs[worker.name], {**frame, "op": op})
            asking.add(asyncio.create_task(second, name=op))
            worker.goes_for(offer)
            return True

        with at_offers(place.workers, ask_twice):
            await _write_until(place, lambda: place.bites[IN_TWO_TABS] > 0, random)
        await asyncio.gather(*asking)


class _Tab:
    """One more session of an advisor, who asks for one thing at a time in it."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._turn = asyncio.Lock()

    async def ask(self, frame: Frame) -> Frame:
        """The answer; what else is told to this session is passed over."""
        async with self._turn, asyncio.timeout(_ANSWER_S):
            await self._socket.send_json(frame)
            while True:
                answer: Frame = json.loads(await self._socket.receive_str())
                if answer.get("op") == frame["op"]:
                    return answer


async def _accept(place: Plant, who: str, tab: _Tab, frame: Frame) -> None:
    answer = await tab.ask(frame)
    place.bites[IN_TWO_TABS] += 1
    place.bites[f"second tab was told {answer['type']}"] += 1
    kind = Kind.OK if answer["type"] == "result" else Kind.FAIL
    members = {"op": frame["op"], "ref": frame["case"], "durable": answer.get("durable", True)}
    place.history.note(Entry(at_ms=now_ms(), who=who, kind=kind, what="accept", **members))


async def accepted_as_it_expires(place: Plant, random: Random, _: Findings) -> None:
    """Offers are let ring, and gone for around their very end: some in time, some too late, none both."""
    clock, waiting, seen = SystemClock(), set[asyncio.Task[None]](), set[tuple[str, str]]()
    begun = len(place.history.entries)

    async def at_the_end(worker: RecordedWorker, offer: Frame) -> None:
        ends_ms = int(datetime.fromisoformat(offer["deadline"]).timestamp() * 1000)
        await clock.sleep_until_ms(ends_ms + random.randint(-_AROUND_MS, _AROUND_MS // 2))
        place.bites[AT_THE_END] += 1
        worker.goes_for(offer)

    def let_ring(worker: RecordedWorker, offer: Frame) -> bool:
        if offer["case"] in {case for _, case in seen}:
            return False
        seen.add((worker.name, offer["case"]))
        waiting.add(asyncio.create_task(at_the_end(worker, offer), name=f"{worker.name} waits"))
        return True

    with at_offers(place.workers, let_ring):
        await _write_until(place, lambda: place.bites[AT_THE_END] >= _TIMES, random)
    await asyncio.gather(*waiting)
    for entry in place.history.entries[begun:]:
        if entry.what == "accept" and (entry.who, entry.ref) in seen and entry.kind in (Kind.OK, Kind.FAIL):
            place.bites[IN_TIME if entry.kind is Kind.OK else TOO_LATE] += 1


SESSION_FAULTS: Final = (
    Fault(name="offers on cut sessions", strike=offers_on_cut_sessions, wants=(MOVED, TAKEN_ELSEWHERE)),
    Fault(name="accepted in two tabs", strike=accepted_in_two_tabs, wants=(IN_TWO_TABS,)),
    Fault(name="accepted as it expires", strike=accepted_as_it_expires, wants=(AT_THE_END, TOO_LATE)),
)
