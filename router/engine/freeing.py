"""What would free a waiting case: the single changes that place it, each enough alone. Pure.

A change is of an advisor (he comes online, gets room, learns a skill or a language, joins a queue or a tier), or of the
case, which time brings (a hold or a cool-down ends, the next steps of relaxation). What takes two changes isn't named.
"""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from functools import reduce
from operator import and_
from typing import Final

import msgspec
from msgspec.structs import replace

from router.contract.advisor import AdvisorState, Presence, read_profile, write_profile
from router.contract.case import CaseDetail
from router.contract.ids import AdvisorId, CaseId
from router.engine.decide import Waiting, next_for
from router.engine.eligibility import Filter, eligible, passing
from router.engine.relaxation import ahead
from router.engine.roster import LEVELS, Roster
from router.engine.waiting import WaitClass, wait_class
from rules import Rulebook

_OF_ADVISORS: Final = (Filter.PRESENCE, Filter.ROOM, Filter.LANGUAGE, Filter.QUEUE, Filter.TIER)


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """What one advisor at a time would have to have, and who lacks nothing else. ``name`` and ``level`` are of the
    skill, language, queue or tier; a tier stands for any that will do."""

    lacks: Filter
    advisors: int
    name: str = ""
    level: int = 0


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A change of one advisor. ``units`` is how much room he lacks; ``first`` the more urgent case that he would be
    given before this one, empty where this one comes first."""

    lacks: Filter
    advisor: AdvisorId
    name: str = ""
    level: int = 0
    units: int = 0
    first: CaseId | None = None


class Passing(StrEnum):
    """What passes with time."""

    HOLD = "hold"
    COOL_DOWN = "cool-down"
    STEP = "step"


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """What time brings, and when. ``name`` is who is held for, whose cool-down ends, or the number of the step, which
    comes with those before it."""

    passing: Passing
    name: str
    at_ms: int


def ways(roster: Roster, waiting: WaitClass) -> Iterator[Way]:
    """Each way with those for whom it would do. It costs a few ANDs, however many advisors there are."""
    sets = {name: passing(roster, waiting, name) for name in Filter}
    for lacks in _OF_ADVISORS:
        others = reduce(and_, (sets[name] for name in Filter if name is not lacks), roster.everyone)
        if found := others & ~sets[lacks]:
            name, level = _asked(waiting, lacks)
            yield Way(lacks=lacks, advisors=found, name=name, level=level)
    others = reduce(and_, (sets[name] for name in Filter if name is not Filter.SKILL), roster.everyone)
    needed = _needed(waiting)
    holders = {skill: roster.with_skill(skill, level) for skill, level in needed.items()}
    for skill, level in needed.items():
        rest = reduce(and_, (bits for name, bits in holders.items() if name != skill), others)
        if found := rest & ~holders[skill]:
            yield Way(lacks=Filter.SKILL, advisors=found, name=skill, level=level)


def change_of(
    state: AdvisorState, way: Way, waiting: Waiting, heads: Sequence[Waiting], rulebook: Rulebook, now_ms: int
) -> Change:
    """The change of one of the way's advisors, and what comes of it."""
    roster = Roster()
    roster.apply(changed(state, way, waiting.waiting))
    turn = next_for(roster, state.id, [waiting, *heads], rulebook, now_ms)
    first = turn.head.case if turn else waiting.case
    return Change(
        lacks=way.lacks,
        advisor=state.id,
        name=way.name,
        level=way.level,
        units=max(0, state.load + waiting.waiting.units - state.budget) if way.lacks is Filter.ROOM else 0,
        first=None if first == waiting.case else first,
    )


def changed(state: AdvisorState, way: Way, waiting: WaitClass) -> AdvisorState:
    """The advisor as he would be."""
    profile = read_profile(state.profile)
    match way.lacks:
        case Filter.PRESENCE:
            return replace(state, presence=Presence.ONLINE)
        case Filter.ROOM:
            return _with_room(state, waiting)
        case Filter.SKILL:
            profile = replace(profile, skills={**profile.skills, way.name: way.level})
        case Filter.LANGUAGE:
            profile = replace(profile, languages={**profile.languages, way.name: way.level})
        case Filter.QUEUE:
            profile = replace(profile, queues=(*profile.queues, way.name))
        case Filter.TIER:
            profile = replace(profile, tier=way.name)
        case Filter.EXCLUDED | Filter.HELD:
            raise ValueError(f"{way.lacks} is not an advisor's to change")
    return replace(state, profile=write_profile(profile, before=state.profile))


def moments(
    roster: Roster, detail: CaseDetail, waiting: WaitClass, rulebook: Rulebook, now_ms: int
) -> tuple[Moment, ...]:
    """What time will bring that places the case with the roster as it is, the earliest first; each alone."""
    found = [
        moment
        for moment, later in _coming(detail, rulebook, now_ms)
        if eligible(
            roster,
            wait_class(later, channel=waiting.channel, units=waiting.units, rulebook=rulebook, now_ms=now_ms),
        )
    ]
    return tuple(sorted(found, key=lambda moment: (moment.at_ms, moment.passing, moment.name)))


def _coming(detail: CaseDetail, rulebook: Rulebook, now_ms: int) -> Iterator[tuple[Moment, CaseDetail]]:
    """What passes, and the case as it is then if nothing else does."""
    if detail.held_for and detail.held_until_ms is not None and detail.held_until_ms > now_ms:
        held = Moment(passing=Passing.HOLD, name=detail.held_for, at_ms=detail.held_until_ms)
        yield held, replace(detail, held_for="", held_until_ms=None)
    for name, until in detail.declined.items():
        if until > now_ms:
            rest = {other: at for other, at in detail.declined.items() if other != name}
            yield Moment(passing=Passing.COOL_DOWN, name=name, at_ms=until), replace(detail, declined=rest)
    for number, _, at_ms in ahead(detail, rulebook):
        if at_ms is not None:
            yield Moment(passing=Passing.STEP, name=str(number), at_ms=at_ms), replace(detail, relaxed=number)


def _asked(waiting: WaitClass, lacks: Filter) -> tuple[str, int]:
    match lacks:
        case Filter.LANGUAGE:
            return waiting.language, 1
        case Filter.QUEUE:
            return waiting.queue, 0
        case Filter.TIER:
            return waiting.tiers[0], 0
        case _:
            return "", 0


def _needed(waiting: WaitClass) -> dict[str, int]:
    """The level of each hard skill; nobody can be given one beyond the scale."""
    needed: dict[str, int] = {}
    for want in waiting.wants:
        if want.hard and want.level <= LEVELS:
            needed[want.skill] = max(want.level, needed.get(want.skill, 0))
    return needed


def _with_room(state: AdvisorState, waiting: WaitClass) -> AdvisorState:
    caps = dict(state.caps)
    if waiting.channel in caps:
        held = sum(work.load > 0 and work.channel == waiting.channel for work in state.work.values())
        caps[waiting.channel] = max(caps[waiting.channel], held + 1)
    return replace(state, budget=max(state.budget, state.load + waiting.units), caps=caps)
