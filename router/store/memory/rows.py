"""What a pool holds, as plain mutable rows. ``keys.py`` names the key that each is in Redis."""

from bisect import bisect_left, insort
from collections import deque

import msgspec

from router.contract.advisor import AdvisorState, Presence, Work
from router.contract.case import CaseState, CaseStatus, Offer
from router.contract.ids import AdvisorId, CaseId, ConversationId
from router.store.marks import LEVEL_LIFE_MS, Level
from router.store.protocol import Change, OutboxEntry

SEEN_INQUIRIES = 64
KEPT_OPERATIONS = 8
KEPT_HISTORY = 50
KEPT_MESSAGES = 500
KEPT_CHANGES = 10_000


class Applied(msgspec.Struct, frozen=True):
    """An operation id and what became of it."""

    op: str
    result: str
    number: int


class CaseRow(msgspec.Struct, kw_only=True):
    id: CaseId
    state: CaseStatus
    gen: int
    conversation: ConversationId
    channel: str
    units: int
    opened_at_ms: int
    changed_at_ms: int
    ver: int = 0
    score: int = 0
    class_key: str = ""
    owner: str = ""
    offers: list[Offer] = []
    consults: dict[str, int] = {}
    timers: dict[str, int] = {}
    step: int = 0
    over: bool = False
    inquiries: int = 1
    last_inquiry: str = ""
    detail: str = "{}"
    why: str = "null"
    operations: list[Applied] = []
    messages: list[str] = []
    history: list[str] = []

    def snapshot(self) -> CaseState:
        return CaseState(
            id=self.id,
            state=self.state,
            ver=self.ver,
            gen=self.gen,
            conversation=self.conversation,
            channel=self.channel,
            units=self.units,
            opened_at_ms=self.opened_at_ms,
            changed_at_ms=self.changed_at_ms,
            score=self.score,
            class_key=self.class_key,
            owner=self.owner,
            offers=tuple(self.offers),
            consults=self.consults.copy(),
            timers=self.timers.copy(),
            step=self.step,
            over=self.over,
            inquiries=self.inquiries,
            last_inquiry=self.last_inquiry,
            detail=self.detail,
            why=self.why,
        )


class AdvisorRow(msgspec.Struct, kw_only=True):
    id: AdvisorId
    gen: int
    ver: int = 0
    elig: int = 0
    presence: Presence = Presence.OFFLINE
    reason: str = ""
    budget: int = 100
    caps: dict[str, int] = {}
    idle_since_ms: int = 0
    online_since_ms: int = 0
    missed: int = 0
    work: dict[str, Work] = {}
    timers: dict[str, int] = {}
    profile: str = "{}"
    away_from: tuple[str, ...] = ()
    operations: list[Applied] = []

    @property
    def load(self) -> int:
        return sum(item.load for item in self.work.values())

    def has_room(self, units: int, channel: str, *, besides: str = "") -> bool:
        """As his state would say it, which is made of no more than that looks at."""
        looked_at = AdvisorState(id=self.id, budget=self.budget, caps=self.caps, work=self.work)
        return looked_at.has_room(units, channel, besides=besides)

    def snapshot(self) -> AdvisorState:
        return AdvisorState(
            id=self.id,
            ver=self.ver,
            elig=self.elig,
            gen=self.gen,
            presence=self.presence,
            reason=self.reason,
            budget=self.budget,
            caps=self.caps.copy(),
            idle_since_ms=self.idle_since_ms,
            online_since_ms=self.online_since_ms,
            missed=self.missed,
            work=self.work.copy(),
            timers=self.timers.copy(),
            profile=self.profile,
            away_from=self.away_from,
        )


class ConversationRow(msgspec.Struct, kw_only=True):
    case: CaseId
    seen: list[str] = []
    moved_to: str = ""


class FenceRow(msgspec.Struct, kw_only=True):
    epoch: int = 0
    applied: int = 0
    applied_at_ms: int = 0
    handed_out: int = 0
    tried: dict[int, int] = {}


class RelayRow(msgspec.Struct, kw_only=True):
    epoch: int = 0
    beat: int = 0
    held: bool = False


class Line:
    """Members by score and then name: what a sorted set of Redis is."""

    def __init__(self) -> None:
        self._scores: dict[str, int] = {}
        self._line: list[tuple[int, str]] = []

    def __len__(self) -> int:
        return len(self._line)

    def set(self, member: str, score: int) -> None:
        self.drop(member)
        self._scores[member] = score
        insort(self._line, (score, member))

    def drop(self, member: str) -> None:
        """Take it out; does nothing when it isn't in."""
        score = self._scores.pop(member, None)
        if score is not None:
            del self._line[bisect_left(self._line, (score, member))]

    def head(self) -> tuple[int, str]:
        return self._line[0]

    def first(self, limit: int) -> list[tuple[int, str]]:
        return self._line[:limit]

    def upto(self, score: int, limit: int) -> list[tuple[int, str]]:
        """The first members whose score is at most that."""
        return [entry for entry in self._line[:limit] if entry[0] <= score]


class PoolRows:
    """One pool. The numbers start at 0 and grow by one; ``work`` maps an item to (place, stamp)."""

    def __init__(self, *, gen: int, outbox_mark: int, max_classes: int) -> None:
        self.gen = gen
        self.format = 1
        self.verified = ""
        self.now_ms = 0
        self.change = 0
        self.number = 0
        self.trimmed = 0
        self.stamp = 0
        self.relay = RelayRow()
        self.outbox_mark = outbox_mark
        self.max_classes = max_classes
        self.level = Level.FINE
        self.looked_ms = 0
        self.cases: dict[CaseId, CaseRow] = {}
        self.advisors: dict[AdvisorId, AdvisorRow] = {}
        self.conversations: dict[ConversationId, ConversationRow] = {}
        self.lines: dict[str, Line] = {}
        self.work: dict[str, tuple[int, int]] = {}
        self.timers = Line()
        self.fences: dict[str, FenceRow] = {}
        self.changes: deque[Change] = deque(maxlen=KEPT_CHANGES)
        self.outbox: deque[OutboxEntry] = deque()

    def level_now(self) -> Level:
        """How short memory is: one that nobody has renewed holds nothing up."""
        return self.level if self.now_ms <= self.looked_ms + LEVEL_LIFE_MS else Level.FINE
