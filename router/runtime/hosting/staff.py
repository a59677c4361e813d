"""Who the advisors are, for whoever writes to them: read from the topic on which their profiles lie."""

import asyncio
import logging
from typing import Final

import msgspec

from router.contract.advisor import Advisor
from router.contract.codec import Decoder
from router.contract.errors import Undecodable
from router.contract.ids import AdvisorId
from router.contract.topics import ADVISORS
from router.runtime.bus.protocol import Bus, Record, Tail
from router.runtime.clock import Clock
from router.runtime.errors import BusUnavailable
from router.runtime.notifiers import StaffMember

LOG = logging.getLogger(__name__)

MAIL: Final = "email"
"""The notifier whose addresses stand in ``contact`` of a profile, where ``contacts`` has none for it."""
_DECODER: Final = Decoder(Advisor)
_POLL_MS: Final = 1_000
_MAX_RECORDS: Final = 500
_RETRY_S: Final = 0.5


class _Entry(msgspec.Struct, frozen=True, gc=False):
    stamp: tuple[int, int]
    advisor: Advisor


class StaffDirectory:
    """``run`` it; ``is_current`` is set once all that lay on the bus when it began was read. Holds what the roster
    holds: a row an advisor, the latest of each."""

    def __init__(self, bus: Bus, *, clock: Clock) -> None:
        self._bus = bus
        self._clock = clock
        self._rows: dict[AdvisorId, _Entry] = {}
        self.is_current = asyncio.Event()

    async def run(self) -> None:
        """Read until cancelled, also past a bus that is away."""
        tail = await self._opened()
        try:
            while True:
                try:
                    await self._read(tail)
                except BusUnavailable:
                    await self._clock.wait(asyncio.Event(), _RETRY_S)
        finally:
            await tail.close()

    async def _opened(self) -> Tail:
        while True:
            try:
                return await self._bus.tail(ADVISORS)
            except BusUnavailable:
                await self._clock.wait(asyncio.Event(), _RETRY_S)

    async def _read(self, tail: Tail) -> None:
        """What lay there when the tail began, then the tail: nothing is left out in between."""
        if not self.is_current.is_set():
            async for record in self._bus.history(ADVISORS):
                self._take(record)
            self.is_current.set()
        while True:
            for record in await tail.poll(max_records=_MAX_RECORDS, timeout_ms=_POLL_MS):
                self._take(record)

    def _take(self, record: Record) -> None:
        if record.value is None:
            self._rows.pop(AdvisorId(record.key), None)
            return
        try:
            advisor = _DECODER.decode(record.value, Advisor)
        except Undecodable:
            LOG.warning("an advisor can't be read", extra={"event": "staff.undecodable", "advisor": record.key})
            return
        stamp = (advisor.gen, advisor.ver)
        known = self._rows.get(advisor.id)
        if known is None or known.stamp <= stamp:
            self._rows[advisor.id] = _Entry(stamp, advisor)

    def member(self, advisor: AdvisorId, notifier: str) -> StaffMember | None:
        """Who that is, with his address at the notifier's product; None for somebody unknown or not active."""
        entry = self._rows.get(advisor)
        if entry is None or not entry.advisor.profile.active:
            return None
        found = entry.advisor
        return StaffMember(id=found.id, pool=found.pool, name=found.profile.name, address=_address(found, notifier))

    def whose(self, address: str, notifier: str) -> StaffMember | None:
        """Whose address it is; None if it is nobody's, or that of several."""
        found = [id_ for id_, row in self._rows.items() if _address(row.advisor, notifier) == address]
        members = [member for id_ in found if address and (member := self.member(id_, notifier)) is not None]
        return members[0] if len(members) == 1 else None


def _address(advisor: Advisor, notifier: str) -> str:
    profile = advisor.profile
    return profile.contacts.get(notifier, profile.contact if notifier == MAIL else "")
