"""The open sessions of this process, and who tells them what has changed."""

import logging
from collections.abc import Iterable
from typing import Final, Protocol

from router.api.sessions.pushes import OF_CONSULTS, concerned
from router.contract import topics
from router.contract.advisor import AdvisorState
from router.contract.codec import Decoder, header
from router.contract.config import ApiKey
from router.contract.errors import Undecodable
from router.contract.events import CaseEvent, EventType
from router.contract.ids import AdvisorId, PoolId
from router.runtime.bus.protocol import Bus, Record, Tail
from router.runtime.clock import Clock
from router.runtime.errors import BusUnavailable
from router.service.following import follow

LOG = logging.getLogger(__name__)
_EVENT: Final = Decoder(CaseEvent)
_PUSHED: Final = frozenset({EventType.ADMIT.value, EventType.DELIVERED.value})
_OF_CONSULTS: Final = frozenset(str(kind) for kind in OF_CONSULTS)
_ASKED: Final = b'"ask":'
_RETRY_MS: Final = 1_000
_SKEW_MS: Final = 10_000  # the bus stamps records by its own clock


class Listener(Protocol):
    """An open session. None of these waits."""

    key: ApiKey

    def changed(self, state: AdvisorState) -> None:
        """The advisor's next state."""

    def happened(self, event: CaseEvent) -> None:
        """Something happened to a case of his."""

    def end(self, by: str) -> None:
        """Close: ``revoked`` or ``stopped``."""


class Hub:
    """Sessions by pool and advisor. One advisor may have several: tabs, devices, an old one not yet gone."""

    def __init__(self) -> None:
        self._sessions: dict[tuple[PoolId, AdvisorId], set[Listener]] = {}

    def __len__(self) -> int:
        return sum(len(sessions) for sessions in self._sessions.values())

    def count(self, pool: PoolId, advisor: AdvisorId) -> int:
        """How many sessions the advisor has here."""
        return len(self._sessions.get((pool, advisor), ()))

    def join(self, pool: PoolId, advisor: AdvisorId, session: Listener) -> None:
        self._sessions.setdefault((pool, advisor), set()).add(session)

    def leave(self, pool: PoolId, advisor: AdvisorId, session: Listener) -> None:
        """Repeating it does nothing."""
        sessions = self._sessions.get((pool, advisor), set())
        sessions.discard(session)
        if not sessions:
            self._sessions.pop((pool, advisor), None)

    def changed(self, pool: PoolId, state: AdvisorState) -> None:
        for session in self._of(pool, state.id):
            session.changed(state)

    def happened(self, event: CaseEvent) -> None:
        for session in self._of(event.pool, concerned(event)):
            session.happened(event)

    def revoked(self, key: ApiKey) -> None:
        """End what a key has opened."""
        for session in self._all():
            if session.key.id == key.id:
                session.end("revoked")

    def stop(self) -> None:
        for session in self._all():
            session.end("stopped")

    def _of(self, pool: PoolId, advisor: str) -> Iterable[Listener]:
        return tuple(self._sessions.get((pool, AdvisorId(advisor)), ()))

    def _all(self) -> tuple[Listener, ...]:
        return tuple(session for sessions in self._sessions.values() for session in sessions)


class EventTail:
    """Follows the events of all cases for those that advisors of this process must hear of, from about when it was
    made on."""

    def __init__(self, bus: Bus, hub: Hub, *, clock: Clock) -> None:
        self._bus = bus
        self._hub = hub
        self._clock = clock
        self._since_ms = clock.now_ms() - _SKEW_MS

    async def run(self) -> None:
        """Follow until cancelled; a bus that is away is waited for."""
        tail: Tail | None = None
        try:
            while True:
                try:
                    tail = tail or await self._bus.tail(topics.EVENTS, since_ms=self._since_ms)
                    await follow(tail, self._take)
                except BusUnavailable as exc:
                    LOG.warning("events can't be followed: %s", exc, extra={"event": "events.retry"})
                    await self._clock.sleep_until_ms(self._clock.now_ms() + _RETRY_MS)
        finally:
            if tail is not None:
                await tail.close()

    def _take(self, record: Record) -> None:
        # Most events concern no socket: the header tells without reading the case.
        if not len(self._hub):
            return
        kind = header(record.headers, "ce_type")
        # Of what may be about a consult, only cases say more on which advice was ever asked for.
        if kind not in _PUSHED and not (kind in _OF_CONSULTS and _ASKED in (record.value or b"")):
            return
        try:
            event = _EVENT.decode(record.value, CaseEvent)
        except Undecodable as exc:
            LOG.warning("an event can't be read: %s", exc, extra={"event": "events.damaged"})
            return
        self._hub.happened(event)
