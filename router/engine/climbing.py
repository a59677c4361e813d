"""What a step of a ladder makes of a case, and what a person's lowering takes back. Pure."""

import msgspec
from msgspec.structs import replace

from router.contract.case import KEPT_ENTRIES, CaseDetail, CaseState
from router.contract.climb import HANDED, KEPT_CLIMBS, KEPT_REASON_BYTES, LOWERED, Climb
from router.contract.ids import AdvisorId
from router.contract.limits import cut
from router.engine import exclusions, offers, relaxation
from router.engine.eligibility import fit
from router.engine.escalation import step_of
from router.engine.roster import Roster
from router.engine.standing import standing
from router.engine.waiting import wait_class
from rules import Rulebook, Step
from rules.ladders import Reassign

BY_MESSAGE = "message"
BY_HAND = "by-hand"


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """Why a step is taken: for a trigger of the rulebook, or by somebody (``by``), for a reason of his."""

    trigger: str
    by: str = ""
    reason: str = ""


class Climbed(msgspec.Struct, frozen=True, kw_only=True):
    """A case after a step. ``take``: it is to be taken from who has it; ``beside``: another is to be asked in.
    ``told`` is who hears of it."""

    detail: CaseDetail
    step: Step
    take: bool
    beside: bool
    told: tuple[str, ...]


def climb(  # noqa: PLR0913 - a step has these parts
    state: CaseState, detail: CaseDetail, number: int, cause: Cause, *, rulebook: Rulebook, roster: Roster, now_ms: int
) -> Climbed | None:
    """The case with that step taken; None when its ladder has no such step."""
    step, at = step_of(detail, rulebook, number), standing(detail)
    if step is None:
        return None
    tier = next_tier(state, detail, rulebook, roster, now_ms) if step.move_up else ""
    taken = Climb(
        step=number,
        at_ms=now_ms,
        trigger=cause.trigger,
        ladder=at.ladder,
        rung=number - at.foot,
        by=cause.by,
        reason=cut(cause.reason, KEPT_REASON_BYTES),
        owner=state.owner,
        raised=step.raise_priority,
        tier=tier,
        sets=step.ladder or "",
    )
    after = replace(
        detail,
        climbed=(*detail.climbed, taken)[-KEPT_CLIMBS:],
        raised=detail.raised + step.raise_priority,
        labels=tuple(dict.fromkeys((*detail.labels, *step.labels)))[-KEPT_ENTRIES:],
    )
    if tier:
        after = replace(after, held_for="", held_until_ms=None)
    if step.exclude:
        after = exclusions.climbed(state, after, step.exclude, now_ms, step=f"{at.ladder} {taken.rung}")
    is_taken = step.reassign is Reassign.TAKE or (bool(step.exclude) and exclusions.is_with_excluded(state, after))
    above = rulebook.ladders[at.ladder].above if step.move_up and not tier else ()
    return Climbed(
        detail=_given_up(state, after, rulebook=rulebook, roster=roster, now_ms=now_ms) if is_taken else after,
        step=step,
        take=is_taken,
        beside=step.reassign is Reassign.BESIDE,
        told=(*step.notify, *above),
    )


def lowered(state: CaseState, detail: CaseDetail, number: int, cause: Cause, now_ms: int) -> CaseDetail:
    """The case back at a step below: what the steps above raised, moved and asked less is taken back, and they don't
    come again by themselves. Labels stay, and so does who has the case."""
    dropped = sum(each.raised for each in standing(detail).climbs if each.step > number)
    note = Climb(
        step=number,
        at_ms=now_ms,
        trigger=LOWERED,
        by=cause.by,
        reason=cut(cause.reason, KEPT_REASON_BYTES),
        owner=state.owner,
    )
    return replace(
        detail,
        climbed=(*detail.climbed, note)[-KEPT_CLIMBS:],
        raised=detail.raised - dropped,
        peak=max(detail.peak, state.step),
    )


def handed(state: CaseState, detail: CaseDetail, cause: Cause, now_ms: int) -> CaseDetail:
    """The case that a person hands on, to ``detail.tier`` or to none: a tier that its ladder had moved it up to holds
    no more."""
    if standing(detail).tier in ("", detail.tier):
        return detail
    note = Climb(
        step=state.step,
        at_ms=now_ms,
        trigger=HANDED,
        by=cause.by,
        reason=cut(cause.reason, KEPT_REASON_BYTES),
        owner=state.owner,
        tier=detail.tier,
    )
    return replace(detail, climbed=(*detail.climbed, note)[-KEPT_CLIMBS:])


def next_tier(state: CaseState, detail: CaseDetail, rulebook: Rulebook, roster: Roster, now_ms: int) -> str:
    """The next tier above the case's that has somebody who could take it; empty when none is left.

    The case's tier is the one it was moved up or handed to, else that of who has it, else the lowest that its queue
    asks for.
    """
    tiers = rulebook.tiers
    now = standing(detail).tier or detail.tier or _tier_of(state, roster) or _lowest(detail, rulebook)
    begin = tiers.index(now) + 1 if now in tiers else 0
    waiting = wait_class(detail, channel=state.channel, units=state.units, rulebook=rulebook, now_ms=now_ms)
    for tier in tiers[begin:]:
        if fit(roster, msgspec.structs.replace(waiting, tiers=(tier,), held_for="")):
            return tier
    return ""


def _tier_of(state: CaseState, roster: Roster) -> str:
    member = roster.get(AdvisorId(state.owner)) if state.owner else None
    return member.profile.tier if member else ""


def _lowest(detail: CaseDetail, rulebook: Rulebook) -> str:
    queue = rulebook.queues.get(detail.verdict.queue)
    asked = queue.tiers if queue and queue.tiers else rulebook.tiers
    return min(asked, key=rulebook.tiers.index, default="")


def _given_up(state: CaseState, detail: CaseDetail, *, rulebook: Rulebook, roster: Roster, now_ms: int) -> CaseDetail:
    """The case without who has it: it is not for him again before a while, unless nobody else could ever take it, and
    it waits anew."""
    free = replace(detail, held_for="", held_until_ms=None)
    if not state.owner:
        return free
    owner = AdvisorId(state.owner)
    tried = offers.without(free, state, owner, roster=roster, rulebook=rulebook, now_ms=now_ms)
    return relaxation.anew(replace(tried, last_advisor=owner), now_ms)
