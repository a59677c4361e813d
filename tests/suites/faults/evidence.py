"""What a run left behind, as plain data: histories of people, records of the bus, and the store's last state."""

from enum import StrEnum

import msgspec

from router.contract.advisor import AdvisorState
from router.contract.case import CaseState
from router.contract.events import CaseEvent
from router.contract.messages import Delivery, Reply
from tests.suites.faults.history import Entry


class Promise(StrEnum):
    """What can be broken; the names by which mutants are told apart."""

    NOT_LOST = "an accepted inquiry is in its case"
    NOT_DOUBLED = "an inquiry is applied once"
    ONE_OWNER = "a case is with one advisor"
    CAPACITY = "nobody has more than his capacity"
    TIMERS = "timers fire once and never early"
    ORDER = "a conversation's inquiries are applied in order"
    STEPS = "steps never go down"
    VERSIONS = "versions are published in order without gaps"
    NUMBERS = "what the outbox held is on the bus"
    DUPLICATES = "a repeat has the same content"
    SNAPSHOT = "the last events are the store's state"
    OPERATIONS = "an operation has one result"
    CONFIRMED = "what was confirmed has happened"
    REPLIES = "a reply is delivered once or marked"
    COMMITS = "offsets are committed after the events are on the bus"
    REPEATS = "what may have happened is not blindly done again"
    FENCES = "what a newer epoch fences off has no effect"
    PRESENCE = "who is connected is present"
    EXCLUDED = "nobody excluded ever gets the case"
    PARKED = "what was put aside goes on with who had it"
    DRAINED = "the backlog drains"
    WAITING = "nobody waits while someone is free"
    LETTERS = "only poison is put aside"
    BITES = "the fault took place"


class Violation(msgspec.Struct, frozen=True, kw_only=True):
    promise: Promise
    evidence: str

    def __str__(self) -> str:
        return f"{self.promise}: {self.evidence}"


class HeardEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One record of the events topic."""

    partition: int
    offset: int
    event: CaseEvent


class AdvisorRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One record of the advisors topic, of what counts here."""

    id: str
    gen: int
    number: int
    at_ms: int
    presence: str


class InquiryRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One record of the inquiries topic."""

    partition: int
    offset: int
    id: str
    conversation: str


class PoolNumbers(msgspec.Struct, frozen=True, kw_only=True):
    """Of the pool's status, what is judged by."""

    gen: int
    number: int
    trimmed: int
    next_timer_ms: int | None = None


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The store at the end. ``transcripts`` maps a case to the ids of its inquiries, as they stand."""

    status: PoolNumbers
    cases: dict[str, CaseState] = {}
    transcripts: dict[str, tuple[str, ...]] = {}
    advisors: dict[str, AdvisorState] = {}


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the checker looks at.

    ``backlog`` names what should have drained and how much of it is left. ``online`` are the advisors with a session
    open that said online. ``compacted`` counts records of advisors that later ones have replaced on the bus.
    ``expected_letters`` are the keys of planted poison. ``committed`` are partitions of the inquiries with their
    committed offset, read while nothing was relayed beyond ``relayed_ids``. ``stale`` says of acts under old epochs
    what they gave, ``uncounted`` of advisors that an open session of theirs was not counted. ``repeated`` counts
    requests that came again, byte for byte, when their answer was lost. ``rings`` says at how many advisors a case of
    a queue rings (1), ``wrap_ups_ms`` for how long one of a channel takes its room after it is resolved (0).
    ``bites`` counts what the fault did; ``wanted_bites`` are those that had to.
    """

    snapshot: Snapshot
    now_ms: int
    history: tuple[Entry, ...] = ()
    events: tuple[HeardEvent, ...] = ()
    advisors: tuple[AdvisorRecord, ...] = ()
    compacted: int = 0
    inquiries: tuple[InquiryRecord, ...] = ()
    replies: tuple[Reply, ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    letters: tuple[str, ...] = ()
    expected_letters: frozenset[str] = frozenset()
    backlog: dict[str, int] = {}
    online: frozenset[str] = frozenset()
    committed_early: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()
    uncounted: tuple[str, ...] = ()
    repeated: int = 0
    swept: int = 0
    wait_bound_ms: int = 30_000
    rings: dict[str, int] = {}
    wrap_ups_ms: dict[str, int] = {}
    bites: dict[str, int] = {}
    wanted_bites: tuple[str, ...] = ()
