"""What parking would do for a waiting case: who could make room by it, and what the rules would have to allow. Pure."""

from collections import defaultdict
from collections.abc import Iterator
from enum import StrEnum
from functools import lru_cache
from itertools import islice
from typing import Final

import msgspec

from router.contract.advisor import AdvisorState, WorkKind
from router.engine.eligibility import eligible, fit
from router.engine.parking import gives_way
from router.engine.roster import Roster
from router.engine.waiting import WaitClass
from rules import Rulebook

LOOKED_AT: Final = 1_000


class Allowing(StrEnum):
    """What a channel would have to be allowed: that its cases interrupt, or that they give way to what does."""

    INTERRUPTS = "interrupts"
    INTERRUPTIBLE = "interruptible"


class Allowance(msgspec.Struct, frozen=True, kw_only=True):
    """A single change of the rules by which one of ``advisors`` could take the case, for what he would park."""

    allowing: Allowing
    channel: str
    advisors: int


def parked_for(roster: Roster, waiting: WaitClass, rulebook: Rulebook) -> frozenset[str]:
    """The channels whose cases are parked for one of the class as things are: none while somebody is free for it."""
    parking = gives_way(waiting.channel, rulebook)
    return parking if parking and not eligible(roster, waiting) else frozenset()


def could_be_taken(roster: Roster, waiting: WaitClass, rulebook: Rulebook) -> bool:
    """Whether somebody has room for a case of the class, or would make it by parking."""
    return bool(eligible(roster, waiting, parked_for(roster, waiting, rulebook)))


def allowances(roster: Roster, waiting: WaitClass, rulebook: Rulebook) -> Iterator[Allowance]:
    """Each change of the rules that is enough alone, with those for whom it would do, of the first 1,000 who are there
    and lack nothing but room. None where somebody can take the case as it is."""
    if could_be_taken(roster, waiting, rulebook):
        return
    parking = gives_way(waiting.channel, rulebook)
    looked_at = list(islice(roster.members(fit(roster, waiting) & roster.there_for(waiting.channel)), LOOKED_AT))
    if not rulebook.weight(waiting.channel).interrupts:
        parking = gives_way(waiting.channel, allowed(rulebook, Allowing.INTERRUPTS, waiting.channel))
        who = sum(1 << one.slot for one in looked_at if parking and _has_room(one.state, waiting, parking))
        if who:
            yield Allowance(allowing=Allowing.INTERRUPTS, channel=waiting.channel, advisors=who)
        return
    found: defaultdict[str, int] = defaultdict(int)
    for one in looked_at:
        at_hand = {item.channel for item in one.state.work.values() if item.kind is WorkKind.CASE}
        for channel in at_hand - parking - {waiting.channel}:
            if _has_room(one.state, waiting, parking | {channel}):
                found[channel] |= 1 << one.slot
    for channel in sorted(found):
        yield Allowance(allowing=Allowing.INTERRUPTIBLE, channel=channel, advisors=found[channel])


@lru_cache(maxsize=256)
def allowed(rulebook: Rulebook, allowing: Allowing, channel: str) -> Rulebook:
    """The rules as they would be; not to be saved, for their hash stays."""
    weight = msgspec.structs.replace(rulebook.weight(channel), **{str(allowing): True})
    return msgspec.structs.replace(rulebook, channels={**rulebook.channels, channel: weight})


def _has_room(state: AdvisorState, waiting: WaitClass, parking: frozenset[str]) -> bool:
    return state.has_room(waiting.units, waiting.channel, parking=parking)
