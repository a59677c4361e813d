"""By what a queue ranks those who may take a case. A strategy is one small pure function of terms, found by name."""

from collections.abc import Callable
from enum import Enum
from typing import Final, NamedTuple

from router.contract.ids import CaseId
from router.engine.order import Rank
from router.engine.roster import Member
from router.engine.skill_fit import skill_fit
from router.engine.waiting import ClassWant
from rules.rulebook import Weights

IDLE_HALF_S: Final = 300
"""After so long the term ``idle`` is a half."""


Free = Callable[[str, str], int]
"""How many who are there and have room for the case have something: its kind (``skill`` or ``language``), its name."""


def _nobody_else(kind: str, name: str) -> int:
    return 1


class Wish(NamedTuple):
    """What a ranking looks at besides the advisors. ``wants`` are the ``hard`` skills that the case demands and the
    ``preferred`` ones, which rank and exclude nobody. ``last_advisor`` knows the case; ``language`` is what it
    asks for, if anything, and ``free`` tells who could take it as well."""

    case: CaseId
    now_ms: int
    wants: tuple[ClassWant, ...] = ()
    hard: tuple[ClassWant, ...] = ()
    preferred: tuple[ClassWant, ...] = ()
    last_advisor: str = ""
    free: Free = _nobody_else
    language: str = ""
    weights: Weights = Weights()
    ramp_s: int = 0


Terms = dict[str, float]


class Search(Enum):
    """Where the first of many are looked for. ``ORDER``: at the beginning of the kept order. ``FITTEST``, ``PLAINEST``:
    there, among those of equal skill fit, the greatest or the least first. ``MIX``: at the beginning of every order
    that is kept for the strategy and among the fittest; whoever is better in each of these terms than somebody who
    is looked at is looked at too."""

    ORDER = 1
    FITTEST = 2
    PLAINEST = 3
    MIX = 4


class Strategy(NamedTuple):
    """``terms`` is the strategy: of two, the one whose first differing term is greater goes first. ``orders`` sort
    members likewise, without a look at the case, and are kept up by the roster: all begin with how often each is
    asked already. ``search`` says how the two meet."""

    terms: Callable[[Member, Wish], Terms]
    orders: tuple[Callable[[Member], Rank], ...]
    search: Search = Search.ORDER


def longest_idle(member: Member, wish: Wish) -> Terms:
    """Who has been without a change of work for longest; then who has the greatest free share."""
    return {"idle_s": _idle_s(member, wish), "free_share": member.free_share, **_preferred(member, wish)}


def least_loaded(member: Member, wish: Wish) -> Terms:
    """Who has the greatest free share of his budget; then the preferred skills, then the longest idle."""
    return {"free_share": member.free_share, **_preferred(member, wish), "idle_s": _idle_s(member, wish)}


def round_robin(member: Member, wish: Wish) -> Terms:
    """Whose last offer is longest ago, however much he has and whatever he has finished since."""
    return {"since_offer_s": (wish.now_ms - member.turn_ms) / 1000, **_preferred(member, wish)}


def most_skilled(member: Member, wish: Wish) -> Terms:
    """Who fits the wanted skills best, hard and preferred ones alike; then the longest idle."""
    fit = skill_fit(member, wish.wants)
    return {"skill_fit": fit, "idle_s": _idle_s(member, wish), "free_share": member.free_share}


def least_skilled(member: Member, wish: Wish) -> Terms:
    """Who has just what the case demands, then who has the fewest levels in all: experts stay free for what needs
    them. Then the preferred skills, then the longest idle."""
    spared = {"skill_spared": 1 - skill_fit(member, wish.hard), "levels_spared": 0.0 - member.levels}
    return {**spared, **_preferred(member, wish), "idle_s": _idle_s(member, wish)}


def balanced(member: Member, wish: Wish) -> Terms:
    """The weighted mean of terms from 0 to 1, the score first. A term of weight 0 is left out."""
    score, terms = 0.0, {}
    weights = wish.weights
    for name, value in (
        ("skill_fit", skill_fit(member, wish.wants)),
        ("free_share", member.free_share),
        ("idle", _idle(member, wish)),
        ("affinity", float(member.state.id == wish.last_advisor)),
        ("scarcity", _scarcity(member, wish)),
        ("ramp_in", _ramp_in(member, wish)),
    ):
        weight = getattr(weights, name)
        if weight:
            terms[name] = value
            score += weight * value
    return {"score": score / weights.total, **terms}


def by_idle(member: Member) -> Rank:
    return (member.asked, member.state.idle_since_ms, -member.free_share)


def by_load(member: Member) -> Rank:
    return (member.asked, -member.free_share, member.state.idle_since_ms)


def by_turn(member: Member) -> Rank:
    return (member.asked, member.turn_ms)


def by_levels(member: Member) -> Rank:
    return (member.asked, member.levels, member.state.idle_since_ms)


def by_newest(member: Member) -> Rank:
    """Of no strategy: who came online last."""
    return (-member.state.online_since_ms,)


LONGEST_IDLE: Final = Strategy(longest_idle, (by_idle,))

STRATEGIES: Final[dict[str, Strategy]] = {
    "longest-idle": LONGEST_IDLE,
    "least-loaded": Strategy(least_loaded, (by_load,)),
    "round-robin": Strategy(round_robin, (by_turn,)),
    "most-skilled": Strategy(most_skilled, (by_idle,), Search.FITTEST),
    "least-skilled": Strategy(least_skilled, (by_levels,), Search.PLAINEST),
    "balanced": Strategy(balanced, (by_idle, by_load), Search.MIX),
}


def _idle_s(member: Member, wish: Wish) -> float:
    return (wish.now_ms - member.state.idle_since_ms) / 1000


def _preferred(member: Member, wish: Wish) -> Terms:
    """In the terms of all or of none: it follows from the case alone."""
    return {"preferred": skill_fit(member, wish.preferred)} if wish.preferred else {}


def _idle(member: Member, wish: Wish) -> float:
    idle_s = max(0.0, _idle_s(member, wish))
    return idle_s / (idle_s + IDLE_HALF_S)


def _scarcity(member: Member, wish: Wish) -> float:
    """1 less the scarcity of the scarcest skill or language that he has and the case doesn't ask for: one over how many
    could take such a case now and have it. 0 when he is the last: he is kept for whoever needs that."""
    wanted = {want.skill for want in wish.wants}
    skills = [wish.free("skill", skill) for skill in member.profile.skills if skill not in wanted]
    languages = [wish.free("language", name) for name in member.profile.languages if name != wish.language]
    others = skills + languages
    return 1 - 1 / max(1, min(others)) if others else 1.0


def _ramp_in(member: Member, wish: Wish) -> float:
    if not wish.ramp_s:
        return 1.0
    return min(1.0, max(0.0, (wish.now_ms - member.state.online_since_ms) / 1000 / wish.ramp_s))
