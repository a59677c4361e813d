"""Who may be offered a case: an ordered list of filters over the roster's bitsets.

What profiles alone decide comes first, and is kept by wait class; who is there and has room is asked each time.
"""

from collections.abc import Callable, Iterable
from enum import StrEnum
from functools import reduce
from operator import or_
from typing import Final

import msgspec

from router.contract.advisor import Profile
from router.contract.ids import AdvisorId
from router.engine.bits import flags_of
from router.engine.field import Field, Part
from router.engine.membership import serves
from router.engine.room import Room
from router.engine.roster import Member, Roster
from router.engine.strategies import asks_of
from router.engine.waiting import TEAM_MARK, WaitClass, read_class


class Filter(StrEnum):
    """Why an advisor is out, in the order in which they are asked."""

    QUEUE = "queue"
    TIER = "tier"
    SKILL = "skill"
    LANGUAGE = "language"
    EXCLUDED = "excluded"
    HELD = "held"
    PRESENCE = "presence"
    ROOM = "room"


_NONE: Final[frozenset[str]] = frozenset()
_BY_PROFILE: Final = tuple(name for name in Filter if name not in (Filter.PRESENCE, Filter.ROOM))
_NAMED: Final = 3


class Removed(msgspec.Struct, frozen=True, kw_only=True):
    """How many a filter took out, and the first of them by name."""

    count: int
    first: tuple[AdvisorId, ...] = ()


class Fitting:
    """What profiles alone say of a wait class: which ``part`` of the roster could take its cases, if there and with
    room. It holds until a profile changes."""

    __slots__ = ("_by_profile", "_channel", "_removed", "_seen", "asks", "considered", "flags", "key", "part")

    def __init__(self, roster: Roster, waiting: WaitClass) -> None:
        sifted = _sift(roster, waiting, _BY_PROFILE)
        self.part = Part(roster, sifted.eligible)
        self.flags = flags_of(sifted.eligible, len(roster))
        self.key = waiting.key
        self._channel = waiting.channel
        self.asks = asks_of(waiting.wants, waiting.language)
        self.considered = roster.everyone.bit_count()
        self._by_profile = {str(name): _removed(roster, bits) for name, bits in sifted.removed.items()}
        self._seen: tuple[int, int] | None = None
        self._removed: dict[str, Removed] = {}

    def removed(self, roster: Roster, ready: int) -> dict[str, Removed]:
        """What each filter took out of what was left before it, by its name; ``ready`` is what all have left."""
        there = self.part.bits & roster.there_for(self._channel)
        seen = (there, ready)
        # The same as the last time, as a rule, while others come and go.
        if self._seen != seen:
            out = ((Filter.PRESENCE, self.part.bits ^ there), (Filter.ROOM, there ^ ready))
            now = {name.value: _removed(roster, bits) for name, bits in out if bits}
            self._seen, self._removed = seen, {**self._by_profile, **now}
        return self._removed


def fitting(roster: Roster, waiting: WaitClass) -> Fitting:
    """What profiles say of a wait class, as kept or worked out."""
    found = roster.fittings.get(waiting)
    if found is None:
        found = Fitting(roster, waiting)
        roster.keep(waiting, found)
    return found


class Look(msgspec.Struct, frozen=True):
    """Who may take the cases of a wait class: those who fit it and have room."""

    waiting: WaitClass
    fitting: Fitting
    room: Room
    field: Field


def look(roster: Roster, waiting: WaitClass, parking: frozenset[str] = _NONE) -> Look:
    """``eligible`` as ranking and explaining want it."""
    fits, room = fitting(roster, waiting), roster.room(waiting.units, waiting.channel, parking)
    field = Field(fits.part, fits.part.bits & room.ready, not room.may_be_full)
    return Look(waiting, fits, room, field)


class Sieve(msgspec.Struct, frozen=True, kw_only=True):
    """What is left, and what each filter took out of what was left before it."""

    eligible: int
    removed: dict[Filter, int]


def sieve(roster: Roster, waiting: WaitClass) -> Sieve:
    """All filters, with their reasons."""
    return _sift(roster, waiting, Filter)


def _sift(roster: Roster, waiting: WaitClass, filters: Iterable[Filter]) -> Sieve:
    left = roster.everyone
    removed: dict[Filter, int] = {}
    for name in filters:
        kept = left & passing(roster, waiting, name)
        if kept != left:
            removed[name] = left ^ kept
            left = kept
    return Sieve(eligible=left, removed=removed)


def _removed(roster: Roster, bits: int) -> Removed:
    return Removed(count=bits.bit_count(), first=tuple([one.state.id for one in roster.first(bits, _NAMED)]))


def eligible(roster: Roster, waiting: WaitClass, parking: frozenset[str] = _NONE) -> int:
    """The set of ``sieve`` without its reasons. With ``parking`` whoever would have room if he parked what he has of
    these channels is in it."""
    return fitting(roster, waiting).part.bits & roster.room(waiting.units, waiting.channel, parking).ready


def fits(roster: Roster, member: Member, class_key: str) -> bool:
    """Whether a member could take the cases of a class if he were there and had room: for who asks it of one advisor
    and hundreds of classes."""
    found = roster.fittings.get(class_key)
    if found is None:
        found = fitting(roster, read_class(class_key))
        roster.keep(class_key, found)
    return found.flags[member.slot] == 1


def has_room(roster: Roster, member: Member, waiting: WaitClass, parking: frozenset[str] = _NONE) -> bool:
    """Whether a member is there and has room for the cases of a class, or would have by parking."""
    return member.slot in roster.room(waiting.units, waiting.channel, parking).slots


def is_eligible(member: Member, waiting: WaitClass, parking: frozenset[str] = _NONE) -> bool:
    """The same of a member of no roster, or one who isn't as the roster has him."""
    state, profile = member.state, member.profile
    return (
        state.is_there_for(waiting.channel)
        and profile.active
        and serves(profile, waiting.queue, waiting.queues)
        and (not waiting.tiers or profile.tier in waiting.tiers)
        and _speaks(profile, waiting)
        and all(1 <= want.level <= profile.skills.get(want.skill, 0) for want in waiting.wants if want.hard)
        and state.id not in waiting.excluded
        and (not waiting.held_for or waiting.held_for in (state.id, TEAM_MARK + profile.team))
        and state.has_room(waiting.units, waiting.channel, parking=parking)
    )


def fit(roster: Roster, waiting: WaitClass) -> int:
    """Who could take the case if he were online and had room: what a back-off and a hold look at."""
    return fitting(roster, waiting).part.bits


def passing(roster: Roster, waiting: WaitClass, name: Filter) -> int:
    """Who passes one filter, whatever the others say."""
    match name:
        case Filter.PRESENCE:
            return roster.there_for(waiting.channel)
        case Filter.QUEUE:
            return _any(roster.serving, (waiting.queue, *waiting.queues))
        case Filter.TIER:
            return roster.of_tiers(waiting.tiers)
        case Filter.SKILL:
            return _skilled(roster, waiting)
        case Filter.LANGUAGE:
            return _speaking(roster, waiting)
        case Filter.EXCLUDED:
            return ~_named(roster, waiting.excluded)
        case Filter.HELD:
            return _held_for(roster, waiting.held_for) if waiting.held_for else roster.everyone
        case Filter.ROOM:
            return roster.room(waiting.units, waiting.channel).bits


def _held_for(roster: Roster, held_for: str) -> int:
    if held_for.startswith(TEAM_MARK):
        return roster.of_team(held_for.removeprefix(TEAM_MARK))
    return roster.bit(held_for)


def _skilled(roster: Roster, waiting: WaitClass) -> int:
    left = roster.everyone
    for want in waiting.wants:
        if want.hard:
            left &= roster.with_skill(want.skill, want.level)
    return left


def _speaking(roster: Roster, waiting: WaitClass) -> int:
    if not waiting.languages:
        return roster.speaking(waiting.language, waiting.language_level)
    return _any(lambda name: roster.speaking(name, waiting.language_level), (waiting.language, *waiting.languages))


def _speaks(profile: Profile, waiting: WaitClass) -> bool:
    return not waiting.language or any(
        profile.languages.get(name, 0) >= waiting.language_level for name in (waiting.language, *waiting.languages)
    )


def _any(members: Callable[[str], int], names: tuple[str, ...]) -> int:
    """Who is in the set of any of the names."""
    if len(names) == 1:
        return members(names[0])
    return reduce(or_, map(members, names))


def _named(roster: Roster, names: tuple[str, ...]) -> int:
    found = 0
    for name in names:
        found |= roster.bit(name)
    return found
