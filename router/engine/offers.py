"""Offers: how a queue rings, and what a declined or missed one means for the next."""

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from router.contract.advisor import AdvisorState, Presence, read_profile
from router.contract.case import CaseDetail, CaseState, read_detail
from router.contract.ids import AdvisorId
from router.contract.plan import Candidate, Placing
from router.engine import telling
from router.engine.eligibility import fit
from router.engine.roster import Member, Roster
from router.engine.telling import Happening, Teller
from router.engine.waiting import TEAM_MARK, WaitClass, wait_class
from rules import Rulebook

_THERE: Final = frozenset({Presence.ONLINE, Presence.AWAY})


def placing(candidates: tuple[Candidate, ...], waiting: WaitClass, rulebook: Rulebook, now_ms: int) -> Placing:
    """How the class's queue hands over: ringing for its ``offer_s`` at so many as it says, or at once."""
    queue = rulebook.queues.get(waiting.queue)
    offer_s = queue.offer_s if queue else 30
    return Placing(
        candidates=candidates,
        offer_deadline_ms=now_ms + offer_s * 1000,
        auto_accept=bool(queue and queue.auto_accept),
        ring=ring_of(waiting, rulebook),
    )


def ring_of(waiting: WaitClass, rulebook: Rulebook) -> int:
    """At how many advisors a case of the class rings at once."""
    queue = rulebook.queues.get(waiting.queue)
    return queue.ring if queue else 1


def rung(roster: Roster, first: AdvisorId, best: Sequence[AdvisorId], ring: int) -> tuple[Candidate, ...]:
    """Whom to ring besides the one whose turn it is, in the order of their ranks; himself alone by a ring of 1, for
    whoever else has room is decided for by himself."""
    names = (first, *(name for name in best if name != first)) if ring > 1 else (first,)
    members = [(name, roster.get(name)) for name in names]
    return tuple([Candidate(advisor=name, elig=member.state.elig if member else 0) for name, member in members])


def without(
    detail: CaseDetail, state: CaseState, advisor: AdvisorId, *, roster: Roster, rulebook: Rulebook, now_ms: int
) -> CaseDetail:
    """The case after an advisor gave an offer back: without him for the cool-down, or, if nobody else could
    ever take it, for the back-off only; then it is offered to him again."""
    declined = {name: until for name, until in detail.declined.items() if until > now_ms}
    declined[advisor] = now_ms + rulebook.cool_down_s * 1000
    if detail.held_for == advisor:
        # Held for him alone it would wait for the one who has just refused it.
        detail = replace(detail, held_for="", held_until_ms=None)
    tried = replace(detail, declined=declined)
    waiting = wait_class(tried, channel=state.channel, units=state.units, rulebook=rulebook, now_ms=now_ms)
    if not fit(roster, waiting) & roster.there_for(waiting.channel):
        declined[advisor] = now_ms + min(rulebook.backoff_s, rulebook.cool_down_s) * 1000
    return replace(detail, declined=declined)


def missed(state: CaseState, ver: int, *, roster: Roster, rulebook: Rulebook, now_ms: int) -> CaseDetail:
    """The case after the offers of one version were missed: each is given back, and counts."""
    detail = read_detail(state.detail)
    for offer in state.offers:
        if offer.ver == ver:
            detail = without(detail, state, offer.advisor, roster=roster, rulebook=rulebook, now_ms=now_ms)
            detail = replace(detail, missed_offers=detail.missed_offers + 1)
    return detail


def missed_notices(teller: Teller, state: CaseState, detail: CaseDetail, advisor: AdvisorId) -> tuple[str, ...]:
    """What the rulebook's ``away_notify`` are told when this missed offer sets the advisor to away: the same however
    often it is computed."""
    happening = Happening(kind="missed-offers", mark=f"missed-{advisor}-{state.ver}", about=advisor)
    told = teller.rulebook.away_notify
    return telling.notices(teller, state, detail=detail, happening=happening, told=told)


def asked_first(owner: Member, *, over: bool = False) -> tuple[Candidate, ...]:
    """The one candidate for work that comes back to its owner; ``over``: even above his capacity."""
    return (Candidate(advisor=owner.state.id, elig=owner.state.elig, over=over),)


def there(roster: Roster, advisor: str) -> Member | None:
    """Who knows the case, if he may come to it soon: he is online, or away for a while. None when he is offline, on his
    way out, or gone: then it is for anybody at once."""
    member = roster.get(AdvisorId(advisor))
    is_there = member is not None and member.profile.active and member.state.presence in _THERE
    return member if is_there else None


def back_to(roster: Roster, detail: CaseDetail) -> Member | None:
    """Who knows the case and is there for it, unless he must not have it."""
    return None if detail.last_advisor in detail.excluded else there(roster, detail.last_advisor)


def hold(detail: CaseDetail, rulebook: Rulebook, roster: Roster, now_ms: int) -> CaseDetail:
    """Keep the case for who knows it. By the ``affinity_s`` of its queue that long and only if he is there; where the
    queue says nothing, for the rulebook's ``hold_s``, wherever he is. For nobody when that is 0, or he is excluded."""
    queue, owner = rulebook.queues.get(detail.verdict.queue), detail.last_advisor
    if queue is None or queue.affinity_s is None:
        hold_s = rulebook.hold_s
    else:
        hold_s = queue.affinity_s if there(roster, owner) else 0
    if not owner or not hold_s or owner in detail.excluded:
        return replace(detail, held_for="", held_until_ms=None)
    return replace(detail, held_for=owner, held_until_ms=now_ms + hold_s * 1000)


def team_of(advisor: AdvisorState) -> str:
    """His team; empty when he is in none."""
    return read_profile(advisor.profile).team


def held_for_team(detail: CaseDetail, team: str, rulebook: Rulebook, now_ms: int) -> CaseDetail:
    """Keep the case for a team, for the rulebook's ``team_hold_s``; for nobody when that is 0."""
    if not rulebook.team_hold_s:
        return detail
    return replace(detail, held_for=TEAM_MARK + team, held_until_ms=now_ms + rulebook.team_hold_s * 1000)


def released(detail: CaseDetail, now_ms: int) -> CaseDetail:
    """The case without holds and cool-downs that have ended."""
    is_held = detail.held_until_ms is not None and detail.held_until_ms > now_ms
    return replace(
        detail,
        declined={name: until for name, until in detail.declined.items() if until > now_ms},
        held_for=detail.held_for if is_held else "",
        held_until_ms=detail.held_until_ms if is_held else None,
    )


def timers(detail: CaseDetail, *, armed: dict[str, int], now_ms: int) -> dict[str, int]:
    """When the case must be re-keyed because a cool-down or a hold ends."""
    ends = [until for until in detail.declined.values() if until > now_ms]
    wanted = {"cooldown|0": min(ends)} if ends else {}
    if detail.held_for and detail.held_until_ms is not None and detail.held_until_ms > now_ms:
        wanted["hold|0"] = detail.held_until_ms
    changes = {timer: at for timer, at in wanted.items() if armed.get(timer) != at}
    return changes | {timer: 0 for timer in ("cooldown|0", "hold|0") if timer in armed and timer not in wanted}
