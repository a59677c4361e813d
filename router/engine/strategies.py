"""By what a queue ranks those who may take a case. A strategy is one small pure function of terms, found by name."""

from collections.abc import Callable, Mapping
from enum import Enum
from functools import lru_cache
from math import inf
from typing import Final, NamedTuple

from router.contract.ids import CaseId
from router.engine.order import Rank
from router.engine.roster import LANGUAGE, SKILL, Member
from router.engine.skill_fit import skill_fit
from router.engine.waiting import ClassWant
from rules.rulebook import EVEN, Weights

IDLE_HALF_S: Final = 300
"""After so long the term ``idle`` is a half."""


class Asks(NamedTuple):
    """What the cases of a wait class ask of an advisor: ``wants`` are the ``hard`` skills that they demand and the
    ``preferred`` ones, which rank and exclude nobody; ``named`` all of these and the language, as ``Member.has`` names
    them."""

    wants: tuple[ClassWant, ...] = ()
    hard: tuple[ClassWant, ...] = ()
    preferred: tuple[ClassWant, ...] = ()
    named: frozenset[str] = frozenset()


def asks_of(wants: tuple[ClassWant, ...], language: str = "") -> Asks:
    hard, preferred = (tuple([want for want in wants if want.hard is each]) for each in (True, False))
    return Asks(wants, hard, preferred, frozenset([LANGUAGE + language, *(SKILL + want.skill for want in wants)]))


def others_of(having: Mapping[str, int], asks: Asks) -> dict[str, float]:
    """``Wish.others``: of who could take the case how many have what."""
    return {**having, **dict.fromkeys(asks.named, inf)}


class Mix(NamedTuple):
    """The weights of ``balanced``, each as a part of their sum, and which of its terms are left out."""

    skill_fit: float
    free_share: float
    idle: float
    affinity: float
    scarcity: float
    ramp_in: float
    left_out: tuple[str, ...]


@lru_cache(maxsize=1024)
def mix_of(weights: Weights) -> Mix:
    parts = {name: getattr(weights, name) / weights.total for name in weights.__struct_fields__}
    return Mix(**parts, left_out=tuple([name for name, part in parts.items() if not part]))


class Wish(NamedTuple):
    """What a ranking looks at besides the advisors. ``last_advisor`` knows the case; ``others`` says of each skill and
    language how many could take it just now and have that, and of what it asks for itself that there is no end."""

    case: CaseId
    now_ms: int
    asks: Asks = Asks()
    last_advisor: str = ""
    others: Mapping[str, float] = {}
    mix: Mix = mix_of(EVEN)
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
    asked already. ``search`` says how the two meet. Only terms that ``look_around`` are told of ``Wish.others``."""

    terms: Callable[[Member, Wish], Terms]
    orders: tuple[Callable[[Member], Rank], ...]
    search: Search = Search.ORDER
    look_around: bool = False


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
    fit = skill_fit(member, wish.asks.wants)
    return {"skill_fit": fit, "idle_s": _idle_s(member, wish), "free_share": member.free_share}


def least_skilled(member: Member, wish: Wish) -> Terms:
    """Who has just what the case demands, then who has the fewest levels in all: experts stay free for what needs
    them. Then the preferred skills, then the longest idle."""
    spared = {"skill_spared": 1 - skill_fit(member, wish.asks.hard), "levels_spared": 0.0 - member.levels}
    return {**spared, **_preferred(member, wish), "idle_s": _idle_s(member, wish)}


def balanced(member: Member, wish: Wish) -> Terms:
    """The weighted mean of terms from 0 to 1, the score first. A term of weight 0 is left out."""
    by_fit, by_share, by_idle_time, by_affinity, by_scarcity, by_ramp, left_out = wish.mix
    state, share = member.state, member.free_share
    idle_s = (wish.now_ms - state.idle_since_ms) / 1000
    fit = skill_fit(member, wish.asks.wants)
    idle = idle_s / (idle_s + IDLE_HALF_S) if idle_s > 0 else 0.0
    affinity = 1.0 if wish.last_advisor and state.id == wish.last_advisor else 0.0
    scarcity = _scarcity(member, wish)
    ramp_in = _ramp_in(wish.now_ms - state.online_since_ms, wish.ramp_s) if wish.ramp_s else 1.0
    score = by_fit * fit + by_share * share + by_idle_time * idle
    terms = {
        "score": score + by_affinity * affinity + by_scarcity * scarcity + by_ramp * ramp_in,
        "skill_fit": fit,
        "free_share": share,
        "idle": idle,
        "affinity": affinity,
        "scarcity": scarcity,
        "ramp_in": ramp_in,
    }
    for name in left_out:
        del terms[name]
    return terms


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
    "balanced": Strategy(balanced, (by_idle, by_load), Search.MIX, look_around=True),
}


def strategy_named(name: str) -> Strategy:
    """The strategy of that name; one that doesn't exist any more counts as ``longest-idle``."""
    return STRATEGIES.get(name, LONGEST_IDLE)


def _idle_s(member: Member, wish: Wish) -> float:
    return (wish.now_ms - member.state.idle_since_ms) / 1000


def _preferred(member: Member, wish: Wish) -> Terms:
    """In the terms of all or of none: it follows from the case alone."""
    return {"preferred": skill_fit(member, wish.asks.preferred)} if wish.asks.preferred else {}


def _scarcity(member: Member, wish: Wish) -> float:
    """1 less the scarcity of the scarcest skill or language that he has and the case doesn't ask for: one over how many
    could take such a case now and have it. 0 when he is the last: he is kept for whoever needs that."""
    fewest = min(map(wish.others.__getitem__, member.has), default=inf)
    return 1 - 1 / fewest if fewest > 1 else 0.0


def _ramp_in(online_ms: int, ramp_s: int) -> float:
    return min(1.0, max(0.0, online_ms / 1000 / ramp_s))
