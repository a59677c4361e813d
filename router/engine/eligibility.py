"""Who may be offered a case: an ordered list of filters over the roster's bitsets."""

from collections.abc import Callable
from enum import StrEnum
from functools import reduce
from operator import or_
from typing import Final

import msgspec

from router.contract.advisor import Presence, Profile
from router.engine.roster import Member, Roster
from router.engine.waiting import TEAM_MARK, WaitClass


class Filter(StrEnum):
    """Why an advisor is out, in the order in which they are asked."""

    PRESENCE = "presence"
    QUEUE = "queue"
    TIER = "tier"
    SKILL = "skill"
    LANGUAGE = "language"
    EXCLUDED = "excluded"
    HELD = "held"
    ROOM = "room"


_NONE: Final[frozenset[str]] = frozenset()
_BUT_ROOM: Final = tuple(name for name in Filter if name is not Filter.ROOM)


class Sieve(msgspec.Struct, frozen=True, kw_only=True):
    """What is left, and what each filter took out of what was left before it."""

    eligible: int
    removed: dict[Filter, int]


def sieve(roster: Roster, waiting: WaitClass) -> Sieve:
    """All filters, with their reasons."""
    left = roster.everyone
    removed: dict[Filter, int] = {}
    for name in Filter:
        kept = left & passing(roster, waiting, name)
        if kept != left:
            removed[name] = left ^ kept
            left = kept
    return Sieve(eligible=left, removed=removed)


def eligible(roster: Roster, waiting: WaitClass, parking: frozenset[str] = _NONE) -> int:
    """The set of ``sieve`` without its reasons. With ``parking`` whoever would have room if he parked what he has of
    these channels is in it."""
    left = roster.online & roster.with_room(waiting.units, waiting.channel, parking)
    for name in _BUT_ROOM:
        if not left:
            return 0
        left &= passing(roster, waiting, name)
    return left


def is_eligible(member: Member, waiting: WaitClass, parking: frozenset[str] = _NONE) -> bool:
    """Whether ``eligible`` has this member: for who asks it of one advisor and many classes, at what that costs."""
    state, profile = member.state, member.profile
    return (
        state.presence is Presence.ONLINE
        and profile.active
        and _serves(profile, waiting)
        and (not waiting.tiers or profile.tier in waiting.tiers)
        and _speaks(profile, waiting)
        and all(1 <= want.level <= profile.skills.get(want.skill, 0) for want in waiting.wants if want.hard)
        and state.id not in waiting.excluded
        and (not waiting.held_for or waiting.held_for in (state.id, TEAM_MARK + profile.team))
        and state.has_room(waiting.units, waiting.channel, parking=parking)
    )


def fit(roster: Roster, waiting: WaitClass) -> int:
    """Who could take the case if he were online and had room: what a back-off and a hold look at."""
    left = roster.everyone
    for name in (Filter.QUEUE, Filter.TIER, Filter.SKILL, Filter.LANGUAGE, Filter.EXCLUDED, Filter.HELD):
        left &= passing(roster, waiting, name)
    return left


def passing(roster: Roster, waiting: WaitClass, name: Filter) -> int:
    """Who passes one filter, whatever the others say."""
    match name:
        case Filter.PRESENCE:
            return roster.online
        case Filter.QUEUE:
            return _any(roster.serving, (waiting.queue, *waiting.queues))
        case Filter.TIER:
            return roster.of_tiers(waiting.tiers)
        case Filter.SKILL:
            return _skilled(roster, waiting)
        case Filter.LANGUAGE:
            return _any(roster.speaking, (waiting.language, *waiting.languages))
        case Filter.EXCLUDED:
            return ~_named(roster, waiting.excluded)
        case Filter.HELD:
            return _held_for(roster, waiting.held_for) if waiting.held_for else roster.everyone
        case Filter.ROOM:
            return roster.with_room(waiting.units, waiting.channel)


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


def _serves(profile: Profile, waiting: WaitClass) -> bool:
    served = profile.queues
    return not served or "*" in served or waiting.queue in served or any(name in served for name in waiting.queues)


def _speaks(profile: Profile, waiting: WaitClass) -> bool:
    return not waiting.language or any(
        profile.languages.get(language, 0) > 0 for language in (waiting.language, *waiting.languages)
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
