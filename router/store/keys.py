"""The keys of the state store: the one list of them, for Python and for Lua.

All keys of a pool begin with ``turnout:{<pool>}:``; the braces are a hash tag, so a cluster keeps them together and
one act may change them all. ``rebuilt_from`` says where a lost store takes a key from: topics of the bus,
``derived`` (from what else is rebuilt), or ``volatile`` (it is lost, and that is safe). ``lost`` names what a
rebuild doesn't bring back of a key that it does, and what that means.
"""

from enum import StrEnum
from typing import Final

import msgspec

from router.contract.ids import PoolId
from router.contract.topics import ADVISORS, CASES, CONFIG, EVENTS, NOTES, REPLIES, inquiries


class KeyType(StrEnum):
    """As the server's TYPE command names it."""

    HASH = "hash"
    LIST = "list"
    ZSET = "zset"
    STREAM = "stream"


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of key. ``stem`` follows the pool's prefix; with ``of`` one key for each id of that kind."""

    name: str
    stem: str
    type: KeyType
    members: str
    lifetime: str
    rebuilt_from: tuple[str, ...]
    of: str = ""
    lost: str = ""


DERIVED: Final = ("derived",)
VOLATILE: Final = ("volatile",)
_UNTIL_CLOSED: Final = "until the case is closed or moved"
_FOR_EVER: Final = "as long as the pool"

KEYS: Final = (
    Key(
        name="meta",
        stem="meta",
        type=KeyType.HASH,
        members="gen, format, now, change, number, trimmed, stamp, queued, relay_epoch, relay_beat, relay_held, "
        "verified, outbox_mark, max_classes, level, looked",
        lifetime=_FOR_EVER,
        rebuilt_from=(CONFIG, EVENTS, ADVISORS),
        lost="gen is the next one, and the numbers begin where it does (rebuilds.first_number)",
    ),
    Key(
        name="fences",
        stem="fences",
        type=KeyType.HASH,
        members="of each <partition>: epoch| (the newest), applied| (the next offset not yet applied), applied_at| "
        "(when that was noted), handed_out| (the next offset not yet begun), tried|<partition>|<offset> (attempts)",
        lifetime=_FOR_EVER,
        rebuilt_from=VOLATILE,
    ),
    Key(
        name="rebuild",
        stem="rebuild",
        type=KeyType.HASH,
        members="epoch, holder, until_ms, gen, done, total: the one rebuilder and how far he is",
        lifetime="while the pool is rebuilt",
        rebuilt_from=VOLATILE,
    ),
    Key(
        name="case",
        stem="case:",
        of="case",
        type=KeyType.HASH,
        members="flat members of CaseState; offers, consults, timers, operations (last 8), packed",
        lifetime=_UNTIL_CLOSED,
        rebuilt_from=(CASES, EVENTS),
    ),
    Key(
        name="messages",
        stem="messages:",
        of="case",
        type=KeyType.LIST,
        members="the transcript as JSON texts, oldest first, the last 500",
        lifetime=_UNTIL_CLOSED,
        rebuilt_from=(inquiries(PoolId("<pool>")), REPLIES, NOTES, EVENTS),
        lost="what is older than its topic keeps it (14 days; notes 30)",
    ),
    Key(
        name="history",
        stem="history:",
        of="case",
        type=KeyType.LIST,
        members="ver|act|outcome|at_ms|actor|about, the last 50",
        lifetime=_UNTIL_CLOSED,
        rebuilt_from=(EVENTS,),
        lost="what is older than its topic keeps it (30 days)",
    ),
    Key(
        name="conversation",
        stem="conversation:",
        of="conversation",
        type=KeyType.HASH,
        members="case, seen (the last 64 inquiries, packed), moved_to",
        lifetime="until its case is closed; a forwarding entry stays",
        rebuilt_from=(CASES, EVENTS),
        lost="moved_to: what is written to a moved conversation opens a case here, and not there",
    ),
    Key(
        name="advisor",
        stem="advisor:",
        of="advisor",
        type=KeyType.HASH,
        members="flat members of AdvisorState; caps, timers, operations (last 8), packed",
        lifetime=_FOR_EVER,
        rebuilt_from=(ADVISORS,),
        lost="operations, missed, online_since_ms, leases (whoever isn't offline gets a grace time to come back in), "
        "wrap-ups (they end), what is parked by hand (it comes back when there is room); idle_since_ms is that of his "
        "last presence or profile",
    ),
    Key(
        name="work_set",
        stem="work_set:",
        of="advisor",
        type=KeyType.HASH,
        members="case -> units|channel|kind",
        lifetime="while he has work",
        rebuilt_from=(CASES, EVENTS),
    ),
    Key(
        name="advisors",
        stem="advisors",
        type=KeyType.ZSET,
        members="advisor, all with score 0: the order of the roster's pages",
        lifetime=_FOR_EVER,
        rebuilt_from=DERIVED,
    ),
    Key(
        name="line",
        stem="line:",
        of="class",
        type=KeyType.ZSET,
        members="case, by its score",
        lifetime="while a case waits in it",
        rebuilt_from=DERIVED,
    ),
    Key(
        name="heads",
        stem="heads",
        type=KeyType.HASH,
        members="class -> score and case of the first in line",
        lifetime="while a case waits",
        rebuilt_from=DERIVED,
    ),
    Key(
        name="work",
        stem="work",
        type=KeyType.ZSET,
        members="a|<advisor> or k|<class>, by the place of its first stamp",
        lifetime="until done",
        rebuilt_from=DERIVED,
    ),
    Key(
        name="stamps",
        stem="stamps",
        type=KeyType.HASH,
        members="work item -> its newest stamp",
        lifetime="until done",
        rebuilt_from=DERIVED,
    ),
    Key(
        name="timers",
        stem="timers",
        type=KeyType.ZSET,
        members="c|<case>|<kind>|<n> or a|<advisor>|<kind>|<n>, by deadline",
        lifetime="until disarmed",
        rebuilt_from=DERIVED,
    ),
    Key(
        name="changes",
        stem="changes",
        type=KeyType.STREAM,
        members="<number>-0: a changed advisor, packed; about the last 10,000",
        lifetime=_FOR_EVER,
        rebuilt_from=VOLATILE,
    ),
    Key(
        name="outbox",
        stem="outbox",
        type=KeyType.STREAM,
        members="<number>-0: an act's trace for the bus, packed; never cut by length",
        lifetime="until trimmed by the relay",
        rebuilt_from=VOLATILE,
    ),
    Key(
        name="calls",
        stem="calls",
        type=KeyType.STREAM,
        members="<stamp>-0: the newest stamps, to wake the matcher; only the last one counts",
        lifetime=_FOR_EVER,
        rebuilt_from=VOLATILE,
    ),
    Key(
        name="progress",
        stem="progress",
        type=KeyType.STREAM,
        members="<number>-0: one entry, the last number that is on the bus",
        lifetime=_FOR_EVER,
        rebuilt_from=VOLATILE,
    ),
)

WITNESS: Final = "witness"
"""The key that a test's clock sets, next to the pool's own. Only libraries built for tests read it."""

LIBRARIES: Final = "turnout:libraries"
"""A hash of the whole server, not of a pool: library name -> when a process last said that it uses it."""

STEMS: Final = {key.name: key.stem for key in KEYS} | {WITNESS: WITNESS}


def prefix(pool: PoolId) -> str:
    """What all keys of a pool begin with. Raises ``ValueError`` for an id that would break the hash tag."""
    if not pool or "{" in pool or "}" in pool:
        raise ValueError(f"{pool!r} can't name a pool: it is empty or has braces")
    return f"turnout:{{{pool}}}:"


def key(pool: PoolId, name: str, id: str = "") -> str:
    """The full name of a key of the list."""
    return f"{prefix(pool)}{STEMS[name]}{id}"


def pattern(stem: str) -> str:
    """What SCAN takes to find the names that begin so."""
    return stem.translate(_SPECIAL) + "*"


_SPECIAL: Final = str.maketrans({letter: f"\\{letter}" for letter in "\\*?["})


def kind_of(pool: PoolId, name: str) -> Key | None:
    """Which entry of the list a key of the pool belongs to; None when it is none of ours."""
    rest = name.removeprefix(prefix(pool))
    for entry in KEYS:
        if rest == entry.stem or (entry.of and rest.startswith(entry.stem)):
            return entry
    return None
