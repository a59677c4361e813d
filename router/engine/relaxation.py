"""Relaxation: what a waiting case asks of the advisors at its present step, and when it asks less. Pure.

The step is kept with the case, so every router has the same class for it; only the act of its timer takes one. A wait
is counted in the business time of the case's policy: nobody is asked less overnight.
"""

from typing import Final, NamedTuple

from msgspec.structs import replace

from router.contract.case import CaseDetail
from router.engine.standing import easings, standing
from rules import Rulebook, Verdict, membership
from rules.calendar import Calendar, NeverOpen
from rules.ladders import NOTHING, Easing, RelaxStep
from rules.verdict import Want

TIMER: Final = "relax|0"


class Ahead(NamedTuple):
    """A step that is still to come: its number, counted from 1, and when; None where the case doesn't wait, or never
    gets there."""

    number: int
    step: RelaxStep
    at_ms: int | None


class Asked(NamedTuple):
    """What a case asks of the advisors. Empty ``tiers`` and ``language`` ask nothing; members of ``queues`` and
    speakers of ``languages`` will do as well. Each language is asked for at ``language_level``."""

    wants: tuple[Want, ...]
    tiers: tuple[str, ...]
    language: str
    queues: tuple[str, ...]
    languages: tuple[str, ...]
    language_level: int


def steps_of(detail: CaseDetail, rulebook: Rulebook) -> tuple[RelaxStep, ...]:
    """All steps of the case's queue, and that in which its secondary members join; none of a queue that is gone."""
    name = detail.verdict.queue
    queue = rulebook.queues.get(name)
    return membership.steps_of(name, queue) if queue else ()


def waits_from_ms(detail: CaseDetail) -> int:
    """Since when the case has waited, as far as relaxation goes."""
    return detail.waits_from_ms or detail.placed_at_ms


def anew(detail: CaseDetail, now_ms: int) -> CaseDetail:
    """A case that begins to wait again: for all it wanted, and from now."""
    return replace(detail, relaxed=0, waits_from_ms=now_ms)


def take(detail: CaseDetail) -> CaseDetail:
    """The case one step further."""
    return replace(detail, relaxed=detail.relaxed + 1)


def language_level(verdict: Verdict, rulebook: Rulebook) -> int:
    """How well its language has to be spoken before anything is asked less: as the rules say, else its queue."""
    queue = rulebook.queues.get(verdict.queue)
    return verdict.language_level or (queue.language_level if queue else 1)


def asked(detail: CaseDetail, rulebook: Rulebook) -> Asked:
    """What the case asks at its present step, and by the steps of its ladders. Moved up to a tier, it is for that tier,
    and for those that a ladder lets in; else handed to one, it is for that instead of its queue's."""
    queue = rulebook.queues.get(detail.verdict.queue)
    tiers = (detail.tier,) if detail.tier else queue.tiers if queue else ()
    level = language_level(detail.verdict, rulebook)
    if not detail.relaxed and not detail.climbed:
        # Nearly every case, and asked of it by every plan.
        return Asked(detail.verdict.wants, tiers, detail.verdict.language or "", (), (), level)
    at = standing(detail)
    by_wait, by_ladder = steps_of(detail, rulebook)[: detail.relaxed], tuple(easings(at.climbs, rulebook))
    easing = merged(*by_wait, *by_ladder)
    language = detail.verdict.language or ""
    if easing is NOTHING and not at.tier:
        return Asked(detail.verdict.wants, tiers, language, (), (), level)
    let_in = merged(*by_ladder).tiers if at.tier else easing.tiers
    kept = (at.tier,) if at.tier else tiers
    speaks = "" if easing.any_language else language
    return Asked(
        wants=tuple(_eased(want, easing) for want in detail.verdict.wants),
        tiers=tuple(dict.fromkeys((*kept, *let_in))) if kept else (),
        language=speaks,
        queues=tuple(sorted({*easing.queues} - {detail.verdict.queue})),
        languages=tuple(sorted({*easing.languages} - {speaks})) if speaks else (),
        language_level=min(level, easing.language_level or level),
    )


def merged(*easings: Easing) -> Easing:
    """All of them in one: the least of the levels, and whatever any drops or lets in."""
    found = [easing for easing in easings if not easing.is_empty]
    if not found:
        return NOTHING
    levels: dict[str, int] = {}
    for easing in found:
        for skill, level in easing.levels.items():
            levels[skill] = min(level, levels.get(skill, level))
    return Easing(
        levels=levels,
        drop=tuple(skill for easing in found for skill in easing.drop),
        queues=tuple(name for easing in found for name in easing.queues),
        tiers=tuple(name for easing in found for name in easing.tiers),
        languages=tuple(name for easing in found for name in easing.languages),
        any_language=any(easing.any_language for easing in found),
        language_level=min((least for easing in found if (least := easing.language_level)), default=None),
    )


def ahead(detail: CaseDetail, rulebook: Rulebook) -> tuple[Ahead, ...]:
    """The steps that are still to come, in their order."""
    steps = steps_of(detail, rulebook)
    if not steps:
        return ()
    since, calendar = waits_from_ms(detail), rulebook.calendar_of(_policy(detail, rulebook))
    return tuple(
        Ahead(number, step, _reached(since, step.after_s, calendar))
        for number, step in enumerate(steps, start=1)
        if number > detail.relaxed
    )


def timers(detail: CaseDetail, rulebook: Rulebook, *, armed: dict[str, int], now_ms: int) -> dict[str, int]:
    """What to arm so that the next step comes in time. One that is overdue and not armed is armed for now; one that is
    armed and overdue is left to whoever has claimed it. The store disarms it when somebody has the case."""
    steps = ahead(detail, rulebook)
    at = steps[0].at_ms if steps else None
    if at is None:
        return {TIMER: 0} if TIMER in armed else {}
    if at <= now_ms:
        at = armed.get(TIMER, now_ms)
    return {TIMER: at} if armed.get(TIMER) != at else {}


def _policy(detail: CaseDetail, rulebook: Rulebook) -> str:
    """The case's policy, or that of its queue where the rulebook that it was judged by doesn't know it yet."""
    verdict = detail.verdict
    queue = rulebook.queues.get(verdict.queue)
    return queue.policy if queue is not None and verdict.policy not in rulebook.policies else verdict.policy


def _eased(want: Want, easing: Easing) -> Want:
    if not want.hard:
        return want
    if want.skill in easing.drop:
        return Want(want.skill, want.level, hard=False)
    return Want(want.skill, min(want.level, easing.levels.get(want.skill, want.level)))


def _reached(since_ms: int, after_s: int, calendar: Calendar | None) -> int | None:
    try:
        return since_ms + after_s * 1000 if calendar is None else calendar.due(since_ms, after_s * 1000)
    except NeverOpen:
        return None
