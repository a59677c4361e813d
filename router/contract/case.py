"""A case: its life, what acts read of it (flat), what only its writers read (detail), and its wire form."""

from enum import StrEnum
from typing import Final

import msgspec

from router.contract.climb import Climb
from router.contract.clock import Clock, ClockRun, DueMove, FinishedClock, Replanned
from router.contract.exclusion import Exclusion
from router.contract.ids import (
    AccountId,
    AdvisorId,
    CaseId,
    ConversationId,
    InquiryId,
    PoolId,
    ReplyId,
)
from router.contract.values import null
from rules.verdict import Verdict

MAX_CASE_BYTES: Final = 65_536
KEPT_ENTRIES: Final = 50
MOST_CONSULTS: Final = 8
"""So many can give advice on a case at once."""

__all__ = [
    "KEPT_ENTRIES",
    "MAX_CASE_BYTES",
    "MOST_CONSULTS",
    "Ask",
    "Case",
    "CaseDetail",
    "CaseState",
    "CaseStatus",
    "Clock",
    "ClockRun",
    "DueMove",
    "FinishedClock",
    "Offer",
    "Pending",
    "Replanned",
    "SentReply",
    "read_detail",
    "write_detail",
]


class CaseStatus(StrEnum):
    """Where a case is. ``QUEUED`` to ``PENDING`` are open; a closed or moved case is gone from the store."""

    QUEUED = "queued"
    OFFERED = "offered"
    ASSIGNED = "assigned"
    PARKED = "parked"
    PENDING = "pending"
    RESOLVED = "resolved"
    CLOSED = "closed"
    MOVED = "moved"


class _Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Base of what a case is made of. None of it can hold itself, so the collector need not go through it."""


class Offer(_Record, frozen=True, kw_only=True, omit_defaults=True):
    """A reservation of one advisor's capacity. ``ver`` is the case's version that made it. Of a case that somebody has
    it is a consult that rings, and ``units`` what that takes; otherwise the case's own are taken."""

    advisor: AdvisorId
    ver: int
    deadline_ms: int
    units: int | None = None


class CaseState(_Record, frozen=True, kw_only=True, omit_defaults=True):
    """A case as the state store holds it.

    The flat members are read by acts. ``detail`` and ``why`` are JSON text that no act looks into: the
    first holds ``CaseDetail`` (and what newer versions added to it), the second the last decision.
    ``timers`` maps ``kind|n`` to its deadline; ``consults`` an advisor to the units he lends.
    """

    id: CaseId
    state: CaseStatus
    ver: int
    gen: int
    conversation: ConversationId
    channel: str
    units: int
    opened_at_ms: int
    changed_at_ms: int
    score: int = 0
    class_key: str = ""
    owner: str = ""
    offers: tuple[Offer, ...] = ()
    consults: dict[str, int] = {}
    timers: dict[str, int] = {}
    step: int = 0
    over: bool = False
    inquiries: int = 1
    last_inquiry: str = ""
    detail: str = "{}"
    why: str = "null"


class Pending(_Record, frozen=True, kw_only=True, omit_defaults=True):
    """Whom the case waits for (``customer``, ``third-party``, ``internal``) and why."""

    on: str
    since_ms: int
    reason: str = ""
    until_ms: int | None = None


class Ask(_Record, frozen=True, kw_only=True, omit_defaults=True):
    """The last consult that was asked for: who asked whom (``to``, or the best of ``queue``, ``tier`` and ``skills``),
    and when; by nobody: a step of its ladder, whoever could have the case. ``tried`` are those whom it won't ring at
    until then, ``last`` who answered last or didn't, ``end`` what came of it with him: ``joined``, ``declined``,
    ``expired``, ``left`` (he has gone), ``recalled``, ``ended`` (he was in). Whether somebody is rung now the offers
    say."""

    by: str
    at_ms: int
    to: str = ""
    queue: str = ""
    tier: str = ""
    skills: dict[str, int] = {}
    tried: dict[str, int] = {}
    last: str = ""
    end: str = ""


class SentReply(_Record, frozen=True, kw_only=True, omit_defaults=True):
    """A reply of this case and what became of it; ``state`` is ``sending`` until a delivery says more."""

    id: ReplyId
    at_ms: int
    advisor: str = ""
    state: str = "sending"
    reason: str = ""


class CaseDetail(_Record, frozen=True, kw_only=True, omit_defaults=True):
    """The known members of ``CaseState.detail``. Written whole, member by member, under the version check.

    ``finished`` are the last clocks that came to their end, ``replans`` the last changes of policy that reached the
    case; ``terms`` is the rulebook whose policy its clocks go by, if that isn't the one it was judged by. ``fired`` are
    timers that have fired and whose time such a change has put into the future; ``chased`` counts the reminders
    about the third party that it waits for. Steps of its ladder wait until ``put_off_until_ms``; ``heeded_at_ms`` is
    when somebody said that he looks after it (0: never). ``relaxed`` counts the steps of relaxation taken, by the wait
    since ``waits_from_ms`` (0: ``placed_at_ms``). ``climbed`` are the last steps of ladders, ``peak`` the highest step
    that somebody has lowered the case from; ``missed_offers`` is since the case was placed. ``tier`` is the
    one that somebody has handed it to. ``excluded`` are who must not have it, ``exclusions`` how the last of them came
    to be excluded or not to be any more. ``ask`` is the last consult that was asked for.
    """

    account: AccountId
    origin: InquiryId
    customer: str
    verdict: Verdict
    clocks: dict[str, Clock] = {}
    placed_at_ms: int = 0
    reopened: int = 0
    last_advisor: str = ""
    held_for: str = ""
    held_until_ms: int | None = None
    declined: dict[str, int] = {}
    excluded: tuple[str, ...] = ()
    raised: int = 0
    labels: tuple[str, ...] = ()
    tier: str = ""
    pending: Pending | None = None
    outcome: str = ""
    replies: tuple[SentReply, ...] = ()
    replies_count: int = 0
    acknowledged: bool = False
    previous: str = ""
    relaxed: int = 0
    waits_from_ms: int = 0
    climbed: tuple[Climb, ...] = ()
    missed_offers: int = 0
    peak: int = 0
    finished: tuple[FinishedClock, ...] = ()
    fired: tuple[str, ...] = ()
    chased: int = 0
    terms: str = ""
    replans: tuple[Replanned, ...] = ()
    put_off_until_ms: int = 0
    heeded_at_ms: int = 0
    exclusions: tuple[Exclusion, ...] = ()
    ask: Ask | None = None


class Case(_Record, frozen=True, kw_only=True, omit_defaults=True):
    """The wire form: flat members and members of the detail side by side.

    The relay writes it from the raw members, so what a newer version added is on the bus too.
    """

    id: CaseId
    pool: PoolId
    state: CaseStatus
    ver: int
    gen: int
    conversation: ConversationId
    channel: str
    units: int
    opened_at_ms: int
    changed_at_ms: int
    account: AccountId
    origin: InquiryId
    customer: str
    verdict: Verdict
    score: int = 0
    class_key: str = ""
    owner: str = ""
    offers: tuple[Offer, ...] = ()
    consults: dict[str, int] = {}
    timers: dict[str, int] = {}
    step: int = 0
    over: bool = False
    why: msgspec.Raw = msgspec.field(default_factory=null)
    clocks: dict[str, Clock] = {}
    placed_at_ms: int = 0
    inquiries: int = 1
    last_inquiry: str = ""
    reopened: int = 0
    last_advisor: str = ""
    held_for: str = ""
    held_until_ms: int | None = None
    declined: dict[str, int] = {}
    excluded: tuple[str, ...] = ()
    raised: int = 0
    labels: tuple[str, ...] = ()
    tier: str = ""
    pending: Pending | None = None
    outcome: str = ""
    replies: tuple[SentReply, ...] = ()
    replies_count: int = 0
    acknowledged: bool = False
    previous: str = ""
    relaxed: int = 0
    waits_from_ms: int = 0
    climbed: tuple[Climb, ...] = ()
    missed_offers: int = 0
    peak: int = 0
    finished: tuple[FinishedClock, ...] = ()
    fired: tuple[str, ...] = ()
    chased: int = 0
    terms: str = ""
    replans: tuple[Replanned, ...] = ()
    put_off_until_ms: int = 0
    heeded_at_ms: int = 0
    exclusions: tuple[Exclusion, ...] = ()
    ask: Ask | None = None


_DETAIL: Final = msgspec.json.Decoder(CaseDetail)
_KNOWN: Final = frozenset(CaseDetail.__struct_fields__)
_MEMBERS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ENCODER: Final = msgspec.json.Encoder()


def read_detail(detail: str) -> CaseDetail:
    """The known members of a detail; raises ``msgspec.ValidationError`` when one is malformed."""
    return _DETAIL.decode(detail)


def write_detail(known: CaseDetail, *, before: str = "{}") -> str:
    """``known`` as JSON text over what ``before`` held, so members that a newer version wrote survive."""
    written = _ENCODER.encode(known)
    held = _MEMBERS.decode(before)
    if foreign := held.keys() - _KNOWN:
        kept = {name: raw for name, raw in held.items() if name in foreign}
        written = _ENCODER.encode(kept | _MEMBERS.decode(written))
    return written.decode()
