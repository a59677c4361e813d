"""What would free a waiting case: the single changes that place it, each enough alone. Pure.

A change is of an advisor (he comes online, or is there for its channel again, gets room, learns a skill or a language,
joins a queue or a tier), of the case, which time brings (a hold or a cool-down ends, the next steps of relaxation) or a
supervisor (an exclusion is lifted), or of the rules (what may be parked for it, see ``interrupting``). What takes two
changes isn't named.
"""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from functools import reduce
from operator import and_
from typing import Final, NamedTuple

import msgspec
from msgspec.structs import replace

from router.contract.advisor import AdvisorState, Presence, WorkKind, read_profile, write_profile
from router.contract.case import CaseDetail
from router.contract.ids import AdvisorId, CaseId
from router.engine.decide import Waiting, next_for
from router.engine.eligibility import Filter, eligible, is_eligible, passing
from router.engine.interrupting import Allowance, allowed, could_be_taken, parked_for
from router.engine.parking import gives_way
from router.engine.relaxation import ahead
from router.engine.roster import LEVELS, Roster
from router.engine.waiting import WaitClass, wait_class
from rules import Rulebook

_OF_ADVISORS: Final = (Filter.PRESENCE, Filter.ROOM, Filter.LANGUAGE, Filter.QUEUE, Filter.TIER)


class Ground(NamedTuple):
    """What a waiting case is looked at with: ``heads`` are those of all lines."""

    roster: Roster
    rulebook: Rulebook
    heads: Sequence[Waiting]
    now_ms: int


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """What one advisor at a time would have to have, and who lacks nothing else. ``name`` and ``level`` are of the
    skill, language, queue or tier; a tier stands for any that will do. He may have to park cases of ``parking``."""

    lacks: Filter
    advisors: int
    name: str = ""
    level: int = 0
    parking: frozenset[str] = frozenset()


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A change of one advisor, or by which one is given the case (``lacks`` None: of the rules). ``units`` is how much
    room he lacks, ``cap`` how many cases of its channel he may have, where he has so many; ``is_online`` that he is
    there, but not for its channel; ``first`` the more urgent case that he would be given before this one, empty where
    this one comes first; ``park`` what he parks for it."""

    lacks: Filter | None
    advisor: AdvisorId
    name: str = ""
    level: int = 0
    units: int = 0
    cap: int | None = None
    is_online: bool = False
    first: CaseId | None = None
    park: tuple[CaseId, ...] = ()


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


def ways(roster: Roster, waiting: WaitClass, rulebook: Rulebook) -> Iterator[Way]:
    """Each way with those for whom it would do. It costs a few ANDs, however many advisors there are."""
    parking = parked_for(roster, waiting, rulebook)
    sets = {name: passing(roster, waiting, name) for name in Filter}
    sets[Filter.ROOM] = roster.room(waiting.units, waiting.channel, parking).bits
    for lacks in _OF_ADVISORS:
        others = reduce(and_, (sets[name] for name in Filter if name is not lacks), roster.everyone)
        if found := others & ~sets[lacks]:
            name, level = _asked(waiting, lacks)
            yield Way(lacks=lacks, advisors=found, name=name, level=level, parking=parking)
    others = reduce(and_, (sets[name] for name in Filter if name is not Filter.SKILL), roster.everyone)
    needed = _needed(waiting)
    holders = {skill: roster.with_skill(skill, level) for skill, level in needed.items()}
    for skill, level in needed.items():
        rest = reduce(and_, (bits for name, bits in holders.items() if name != skill), others)
        if found := rest & ~holders[skill]:
            yield Way(lacks=Filter.SKILL, advisors=found, name=skill, level=level, parking=parking)


def change_of(state: AdvisorState, way: Way, waiting: Waiting, ground: Ground) -> Change:
    """The change of one of the way's advisors, and what comes of it."""
    first, park = _given(changed(state, way, waiting.waiting), waiting, ground)
    lacking = _kept(state, way.parking) + waiting.waiting.units - state.budget
    return Change(
        lacks=way.lacks,
        advisor=state.id,
        name=way.name,
        level=way.level,
        units=max(0, lacking) if way.lacks is Filter.ROOM else 0,
        cap=_reached_cap(state, way, waiting.waiting.channel) if way.lacks is Filter.ROOM else None,
        is_online=way.lacks is Filter.PRESENCE and state.presence is Presence.ONLINE,
        first=first,
        park=park,
    )


def lifts(detail: CaseDetail, waiting: Waiting, ground: Ground) -> Iterator[Change]:
    """Each advisor who would be given the case if he alone weren't excluded any more, and what comes of it."""
    for name in detail.excluded:
        member = ground.roster.get(AdvisorId(name))
        if member is None:
            continue
        freed = wait_class(
            replace(detail, excluded=tuple(other for other in detail.excluded if other != name)),
            channel=waiting.waiting.channel,
            units=waiting.waiting.units,
            rulebook=ground.rulebook,
            now_ms=ground.now_ms,
        )
        if is_eligible(member, freed, parked_for(ground.roster, freed, ground.rulebook)):
            first, park = _given(member.state, replace(waiting, class_key=freed.key), ground)
            yield Change(lacks=Filter.EXCLUDED, advisor=member.state.id, first=first, park=park)


def change_by(state: AdvisorState, allowance: Allowance, waiting: Waiting, ground: Ground) -> Change:
    """What comes of a change of the rules for one of the allowance's advisors."""
    rules = allowed(ground.rulebook, allowance.allowing, allowance.channel)
    first, park = _given(state, waiting, ground._replace(rulebook=rules))
    return Change(lacks=None, advisor=state.id, name=allowance.channel, first=first, park=park)


def _given(state: AdvisorState, waiting: Waiting, ground: Ground) -> tuple[CaseId | None, tuple[CaseId, ...]]:
    """The more urgent case that the advisor would be given first, and what he parks for whichever it is."""
    alone = Roster()
    alone.apply(state)
    rivals = [head for head in ground.heads if head.case != waiting.case and _may_be_his(alone, state, head, ground)]
    turn = next_for(alone, state.id, [waiting, *rivals], ground.rulebook, ground.now_ms)
    if turn is None:
        return None, ()
    return (None if turn.head.case == waiting.case else turn.head.case), turn.park


def _may_be_his(alone: Roster, state: AdvisorState, head: Waiting, ground: Ground) -> bool:
    """Whether parking for it, if it came to that, would be his: nobody is interrupted while somebody is free."""
    if not gives_way(head.waiting.channel, ground.rulebook) or not eligible(ground.roster, head.waiting):
        return True
    return is_eligible(alone[state.id], head.waiting)


def _kept(state: AdvisorState, parking: frozenset[str]) -> int:
    """The units that he has at hand when all that gives way is parked."""
    return sum(item.load for item in state.work.values() if not item.may_be_parked(parking))


def _held(state: AdvisorState, channel: str, parking: frozenset[str]) -> int:
    """How many cases of a channel count for its cap when all that gives way is parked."""
    counted = (one for one in state.work.values() if one.kind is not WorkKind.PARKED and not one.may_be_parked(parking))
    return sum(one.channel == channel for one in counted)


def _reached_cap(state: AdvisorState, way: Way, channel: str) -> int | None:
    """The cap that he has reached; None when he could have one more."""
    cap = state.caps.get(channel)
    return cap if cap is not None and _held(state, channel, way.parking) >= cap else None


def changed(state: AdvisorState, way: Way, waiting: WaitClass) -> AdvisorState:
    """The advisor as he would be."""
    profile = read_profile(state.profile)
    match way.lacks:
        case Filter.PRESENCE:
            away_from = tuple(channel for channel in state.away_from if channel != waiting.channel)
            return replace(state, presence=Presence.ONLINE, away_from=away_from)
        case Filter.ROOM:
            return _with_room(state, waiting, way.parking)
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
        if could_be_taken(
            roster,
            wait_class(later, channel=waiting.channel, units=waiting.units, rulebook=rulebook, now_ms=now_ms),
            rulebook,
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
            return waiting.language, waiting.language_level
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


def _with_room(state: AdvisorState, waiting: WaitClass, parking: frozenset[str]) -> AdvisorState:
    caps = dict(state.caps)
    if waiting.channel in caps:
        caps[waiting.channel] = max(caps[waiting.channel], _held(state, waiting.channel, parking) + 1)
    return replace(state, budget=max(state.budget, _kept(state, parking) + waiting.units), caps=caps)
