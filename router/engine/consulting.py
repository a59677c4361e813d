"""Consults: who is asked for advice beside the owner, who is asked next, and what is noted of it. Pure."""

import msgspec
from msgspec.structs import replace

from router.contract.advisor import Presence
from router.contract.case import MOST_CONSULTS, Ask, CaseDetail, CaseState, CaseStatus, read_detail, write_detail
from router.contract.ids import AdvisorId
from router.contract.plan import Candidate, Placing, Plan
from router.engine import manual, offers, plans
from router.engine.decide import decide
from router.engine.plans import Scene
from router.engine.roster import Roster
from router.engine.waiting import ClassWant, WaitClass

JOINED = "joined"
DECLINED = "declined"
EXPIRED = "expired"
LEFT = "left"
RECALLED = "recalled"
ENDED = "ended"


class Whom(msgspec.Struct, frozen=True, kw_only=True):
    """Of whom advice is asked: of one advisor, or of the best of a queue, of a tier, of those with skills, or of all
    of these together. Skills alone are looked for in every queue; a tier alone in the case's own."""

    to: AdvisorId | None = None
    queue: str = ""
    tier: str = ""
    skills: dict[str, int] = {}


def is_rung(state: CaseState) -> bool:
    """Whether somebody is rung for advice: what rings of a case that somebody has."""
    return bool(state.offers) and state.state is not CaseStatus.OFFERED


def asked(state: CaseState, scene: Scene, whom: Whom, *, by: str) -> Ask:
    """A new ask, ``by`` nobody where a step of its ladder asks; whom earlier ones of the case came to for nothing isn't
    rung until his cool-down ends."""
    before = read_detail(state.detail).ask
    return Ask(
        by=by,
        at_ms=scene.now_ms,
        to=whom.to or "",
        queue=whom.queue,
        tier=whom.tier,
        skills=dict(whom.skills),
        tried=_resting(before, scene) if before else {},
    )


def candidates(state: CaseState, roster: Roster, scene: Scene, ask: Ask) -> tuple[Candidate, ...]:
    """Whom to ring, the best first: the one named, else who is eligible, by the queue's ranking. Where a step of its
    ladder asks, that is who could have the case itself."""
    if ask.to:
        is_excluded = ask.to in read_detail(state.detail).excluded
        member = None if is_excluded else roster.get(AdvisorId(ask.to))
        return offers.asked_first(member) if member else ()
    return decide(roster, _wanted(state, scene, ask), state.id, scene.rulebook, scene.now_ms).candidates


def placing(found: tuple[Candidate, ...], scene: Scene) -> Placing:
    """How they are rung: for the rulebook's ``consult_offer_s``, or brought in at once."""
    ring_s = scene.rulebook.consult_offer_s
    return Placing(candidates=found, offer_deadline_ms=scene.now_ms + ring_s * 1000, auto_accept=not ring_s)


def beside(state: CaseState, detail: CaseDetail, roster: Roster, scene: Scene) -> tuple[CaseDetail, Placing]:
    """The case after a step by which another is asked in beside its owner, and how he is: rung, as for advice that was
    asked for. While somebody is rung for it already he is in at once."""
    after = replace(state, detail=write_detail(detail, before=state.detail))
    ask = asked(after, scene, Whom(), by="")
    found = candidates(after, roster, scene, ask)
    if not found or is_rung(state):
        return detail, replace(placing(found, scene), auto_accept=True)
    return replace(detail, ask=ask), placing(found, scene)


def noted(state: CaseState, scene: Scene, *, advisor: AdvisorId, end: str) -> Plan:
    """The plan of an act after which the ask has come to that with him."""
    detail = read_detail(state.detail)
    ask = replace(detail.ask, last=advisor, end=end) if detail.ask else None
    return plans.plan(state, replace(detail, ask=ask), scene)


def handed_back(state: CaseState, scene: Scene, advisor: AdvisorId) -> Plan:
    """The plan of an act by which who was rung isn't any more, or who came in is done."""
    if is_rung(state) and state.offers[0].advisor == advisor:
        return noted(state, scene, advisor=advisor, end=RECALLED)
    detail = read_detail(state.detail)
    if detail.ask is not None and detail.ask.last == advisor:
        return noted(state, scene, advisor=advisor, end=ENDED)
    return plans.plan(state, detail, scene)


def passed_on(state: CaseState, roster: Roster, scene: Scene, *, advisor: AdvisorId, end: str) -> tuple[Plan, Placing]:
    """The plan and the placing of an act by which a consult that rings comes to nothing with one: it goes on to the
    next, unless he was the only one meant."""
    detail = read_detail(state.detail)
    if detail.ask is None:
        return plans.plan(state, detail, scene), Placing()
    tried = _resting(detail.ask, scene) | {advisor: scene.now_ms + scene.rulebook.cool_down_s * 1000}
    ask = replace(detail.ask, tried=tried, last=advisor, end=end)
    plan = plans.plan(state, replace(detail, ask=ask), scene)
    return plan, placing(() if ask.to else candidates(state, roster, scene, ask), scene)


def lacking(state: CaseState, roster: Roster, whom: Whom) -> str:
    """Why nobody could be asked: ``rung`` (one is rung already), ``many`` (so many are in as can be), ``unknown``,
    ``himself``, ``excluded`` (he must not have the case), ``absent``, ``full`` (he has no room), ``nobody`` (of those
    asked for)."""
    if state.offers:
        return "rung"
    if len(state.consults) >= MOST_CONSULTS:
        return "many"
    if whom.to is None:
        return "nobody"
    member = roster.get(whom.to)
    if member is None:
        return "unknown"
    if whom.to == state.owner:
        return "himself"
    if whom.to in read_detail(state.detail).excluded:
        return "excluded"
    return "absent" if member.state.presence is not Presence.ONLINE else "full"


def _resting(ask: Ask, scene: Scene) -> dict[str, int]:
    """Who was rung for nothing, until his cool-down ends."""
    return {name: until for name, until in ask.tried.items() if until > scene.now_ms}


def _wanted(state: CaseState, scene: Scene, ask: Ask) -> WaitClass:
    rung = {offer.advisor for offer in state.offers}
    out = {state.owner, *state.consults, *rung, *_resting(ask, scene)}
    if not ask.by:
        free = replace(read_detail(state.detail), held_for="", held_until_ms=None)
        return _but(plans.waiting_class(state, free, scene), out)
    case = _but(manual.asked(state, scene), out)
    anywhere = ask.skills and not ask.queue and not ask.tier
    queues = tuple(sorted(scene.rulebook.queues)) if anywhere else () if ask.queue else case.queues
    return replace(
        case,
        queue=ask.queue or case.queue,
        queues=queues,
        units=scene.rulebook.consult_units,
        wants=tuple(sorted(ClassWant(skill, level, True) for skill, level in ask.skills.items())),
        tiers=(ask.tier,) if ask.tier else (),
    )


def _but(case: WaitClass, names: set[str]) -> WaitClass:
    """The case as it is asked of all but these."""
    return replace(case, excluded=tuple(sorted({*case.excluded, *names})))
