"""The state store as the router sees it: one verb for acts, reads beside it, and the outbox for the relay."""

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

import msgspec

from router.contract.advisor import AdvisorState
from router.contract.case import CaseState
from router.contract.ids import AdvisorId, CaseId, ConversationId, PoolId
from router.runtime.bus.partitioner import partition_of
from router.runtime.server_memory import MemoryUse
from router.store.acts import AnyAct, Fence, Outcome
from router.store.marks import LEVEL_LIFE_MS, Level

MAX_SKEW_MS: Final = 5_000
"""How far a clock may be ahead of both the pool's time and the server's before acts under it are refused."""


class WorkItem(msgspec.Struct, frozen=True, kw_only=True):
    """``a|<advisor>`` or ``k|<class key>``, the stamp that ``Done`` must name, and the item's place: the stamp it
    had first. Places grow and never come again, so one that stands has not been done since."""

    item: str
    stamp: int
    place: int


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the work: the items whose hash falls on one of the ``partitions`` (numbered below ``of``), and
    whatever stands at a place up to ``until``. The default is all of it."""

    partitions: frozenset[int] = frozenset({0})
    of: int = 1
    until: int = 0

    def takes(self, item: str, place: int) -> bool:
        """Whether an item belongs to it; the same answer in every process."""
        return place <= self.until or partition_of(item, self.of) in self.partitions

    def ends_by(self, place: int) -> bool:
        """Whether no item beyond that place can belong to it."""
        return not self.partitions and place >= self.until


EVERYTHING: Final = Share()


class WorkBatch(msgspec.Struct, frozen=True, kw_only=True):
    """Work for the matcher. Catch up with the roster to ``change`` before deciding on it; ``stamp`` is the newest."""

    gen: int
    change: int
    stamp: int
    now_ms: int
    items: tuple[WorkItem, ...]


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """The first case of a wait class."""

    class_key: str
    score: int
    case: CaseId


class LineSize(msgspec.Struct, frozen=True, kw_only=True):
    """How a wait class stands: how many wait, and its first ``case`` with its score and when it was opened."""

    class_key: str
    length: int
    case: CaseId
    score: int
    opened_at_ms: int


class Change(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A changed advisor. ``number`` is dense within ``gen``: a hole means take a new snapshot."""

    number: int
    gen: int
    advisor: AdvisorState


class RosterPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a snapshot; ``cursor`` is empty at the end. ``change`` is the number before the page was read."""

    gen: int
    change: int
    advisors: tuple[AdvisorState, ...]
    cursor: str


class PoolStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The numbers of a pool. ``trimmed`` is the last outbox entry known to be on the bus. ``level`` was found at
    ``looked_ms`` of the pool's time. ``witness_ms`` is the server's own time as it answered."""

    gen: int
    format: int
    now_ms: int
    change: int
    number: int
    trimmed: int
    queued: int
    classes: int
    work: int
    timers: int
    next_timer_ms: int | None
    outbox_mark: int
    level: Level
    looked_ms: int
    witness_ms: int

    def level_at(self, now_ms: int) -> Level:
        """How short memory is then: one that nobody has renewed holds nothing up."""
        return self.level if now_ms <= self.looked_ms + LEVEL_LIFE_MS else Level.FINE


class OutboxEntry(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One act's trace for the bus. ``kind`` is the act's name. ``case`` or ``advisor`` is the post-state;
    ``final`` asks for a tombstone; ``replies``, ``notices`` and ``handovers`` are messages to send, ``notes`` are
    internal ones, all as JSON. ``op`` is the operation id of an act on a case."""

    number: int
    gen: int
    kind: str
    at_ms: int
    outcome: str
    actor: str = ""
    about: str = ""
    reason: str = ""
    case: CaseState | None = None
    advisor: AdvisorState | None = None
    final: bool = False
    replies: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    handovers: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    op: str = ""


UNREADABLE: Final = "unreadable"
"""The ``kind`` of an outbox entry that can't be read: ``reason`` says why, ``about`` is the whole in base64."""


class RelayLease(msgspec.Struct, frozen=True, kw_only=True):
    """Whose turn it is to relay a pool. ``epoch`` grows with each owner, ``beat`` with each word of the owner;
    ``held`` is False before the first and once the last has given it up. Everything up to ``trimmed`` is on the
    bus; ``number`` is the newest entry."""

    gen: int
    epoch: int
    beat: int
    held: bool
    trimmed: int
    number: int


class Store(Protocol):
    """Acts and reads of all pools. Raises ``StoreUnavailable`` (outcome unknown) and nothing else."""

    async def apply(self, acts: Sequence[AnyAct]) -> Sequence[Outcome]:
        """Apply in order; each atomic on its own, all in as few round trips as can be."""

    async def open_pool(self, pool: PoolId, *, make: bool = True) -> PoolStatus:
        """Tell the pool's numbers, and make it (``gen`` 1) if it isn't there. Repeating it changes nothing. Without
        ``make``, and while it is rebuilt, one that isn't there raises ``StoreUnavailable``."""

    async def take_epochs(self, pool: PoolId, partitions: Sequence[str]) -> Mapping[str, int]:
        """A new fence for each input partition: acts under an older epoch are refused from now on."""

    async def applied(self, pool: PoolId, watermarks: Mapping[str, tuple[int, int]]) -> None:
        """Note {partition: (epoch, next offset)}: what was published by now and lies below is a duplicate ever
        after. A stale epoch, and a mark that goes back, is ignored."""


class Pressure(Protocol):
    """How short memory is. Raises ``StoreUnavailable``."""

    async def memory(self) -> MemoryUse | None:
        """None where nobody knows: the server has no limit, or doesn't show it."""

    async def press(self, pool: PoolId, level: Level, now_ms: int) -> bool:
        """Note what was found just now: acts go by it for the next ten seconds. False, and nothing is noted, when that
        clock is far ahead of the pool's and the server's, or the state of a newer format."""


class Attempts(Protocol):
    """Which input records may have ended the process that handled them. Raises ``StoreUnavailable``."""

    async def hand_out(self, pool: PoolId, marks: Mapping[str, tuple[int, int]]) -> None:
        """Note {partition: (epoch, next offset)} before any record below is handled, for the next owner. It stands
        as told last; a stale epoch is ignored."""

    async def handed_out(self, pool: PoolId, partitions: Sequence[str]) -> Mapping[str, int]:
        """The mark that was noted of each, by whichever owner; 0 without one."""

    async def attempt(self, pool: PoolId, fence: Fence) -> int:
        """Count an attempt on a record before it is made; how many were counted, this one with them. 0 and nothing
        is counted when the epoch is stale."""

    async def survived(self, pool: PoolId, fence: Fence) -> None:
        """Forget the attempts on a record: the process lives. Does nothing when the epoch is stale."""


class Reads(Protocol):
    """What may be read at any time. Absent things are None or empty."""

    async def case(self, pool: PoolId, case: CaseId) -> CaseState | None: ...

    async def conversation(self, pool: PoolId, conversation: ConversationId) -> CaseState | None:
        """The conversation's case, open or resolved."""

    async def messages(self, pool: PoolId, case: CaseId, *, last: int | None = None) -> Sequence[str]:
        """The transcript, oldest first, as JSON texts: all that is kept (500), or the ``last`` of it."""

    async def history(self, pool: PoolId, case: CaseId) -> Sequence[str]:
        """The last 50 acts on the case: ``ver|act|outcome|at_ms|actor|about`` each."""

    async def advisor(self, pool: PoolId, advisor: AdvisorId) -> AdvisorState | None: ...

    async def roster(self, pool: PoolId, cursor: str = "") -> RosterPage:
        """A page of at most 200 advisors."""

    async def changes(self, pool: PoolId, after: int, *, wait_ms: int = 0) -> Sequence[Change]:
        """What changed after that number, at most 500; waits for the first that long."""

    async def work(self, pool: PoolId, *, share: Share = EVERYTHING, limit: int = 200) -> WorkBatch:
        """The first items of a share, in place order."""

    async def stamped(self, pool: PoolId, after: int, *, wait_ms: int) -> int:
        """The newest stamp; waits until it is beyond ``after`` or the time is over. With ``WorkBatch.stamp`` of
        an empty batch no wake-up is lost."""

    async def heads(self, pool: PoolId) -> Sequence[Head]: ...

    async def waiting(self, pool: PoolId, class_key: str, limit: int = 100) -> Sequence[CaseId]:
        """The first cases of a class, in line order."""

    async def status(self, pool: PoolId) -> PoolStatus: ...


class CaseNames(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a pool's cases; ``cursor`` is empty at the end."""

    cases: tuple[CaseId, ...]
    cursor: str


class Lines(Protocol):
    """What is looked through now and then. Counting costs by the wait classes, never by the cases that wait."""

    async def line_sizes(self, pool: PoolId) -> Sequence[LineSize]:
        """Every class in which a case waits. They are read one after the other while others go on, so a class
        that comes or goes meanwhile may be left out."""

    async def case_names(self, pool: PoolId, cursor: str = "") -> CaseNames:
        """All cases of the pool, open and resolved, some hundred a part. One that is there all the while is named at
        least once, and may be named again; a part may be empty. Each part is short work for the server."""


class Outbox(Protocol):
    """What the relay reads. One owner at a time: whoever takes it has a new epoch, and an older owner is told."""

    async def lease(self, pool: PoolId) -> RelayLease:
        """Whose turn it is."""

    async def take(self, pool: PoolId) -> RelayLease:
        """Be the owner from now on, whoever was it before."""

    async def take_over(self, pool: PoolId, seen: RelayLease) -> RelayLease | None:
        """As ``take``; None, and nothing is changed, when the owner has been heard of or has changed since, or the pool
        is of a newer format."""

    async def release(self, pool: PoolId, lease: RelayLease) -> bool:
        """Give it up: the next owner needn't wait. False when it was somebody else's already."""

    async def pending(
        self, pool: PoolId, after: int, *, limit: int = 100, wait_ms: int = 0
    ) -> Sequence[OutboxEntry]: ...

    async def trim(self, pool: PoolId, lease: RelayLease, upto: int) -> bool:
        """Forget entries up to that number: they are on the bus. It is also the owner's word that he lives, even
        where nothing is to be forgotten. False, and nothing is done, when he isn't the owner any more. Nothing is
        forgotten, and ``StoreUnavailable`` raised, before somebody has vouched for the pool, nor beyond its number."""

    async def relayed(self, pool: PoolId, after: int, *, wait_ms: int = 0) -> int:
        """How far the relay has come; waits until it is beyond ``after`` or the time is over."""
