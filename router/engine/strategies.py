"""By what a queue ranks those who may take a case. A strategy is one small pure function of terms, found by name."""

from collections.abc import Callable, Mapping
from enum import Enum
from functools import lru_cache
from itertools import compress
from typing import Final, NamedTuple

import msgspec

from router.contract.ids import CaseId
from router.engine.order import Rank
from router.engine.roster import LANGUAGE, NOTHING, SKILL, Member
from router.engine.skill_fit import Fit, fit_for
from router.engine.waiting import ClassWant
from rules.rulebook import EVEN, Weights

IDLE_HALF_S: Final = 300
"""After so long the term ``idle`` is a half."""
ENDLESS: Final = 1 << 60
"""So many that one over it doesn't count. Not ``inf``: whole numbers are compared quicker among themselves."""
_MIXED: Final = ("score", "skill_fit", "free_share", "idle", "affinity", "scarcity", "ramp_in")


class Asks(NamedTuple):
    """What the cases of a wait class ask of an advisor: ``wants`` are the ``hard`` skills that they demand and the
    ``preferred`` ones, which rank and exclude nobody; ``endless`` says of all of these and the language, as
    ``Member.has`` names them, that there is no end of who has them. ``fit``, ``fit_hard`` and ``fit_preferred`` tell
    how well a member's skills fit."""

    wants: tuple[ClassWant, ...] = ()
    hard: tuple[ClassWant, ...] = ()
    preferred: tuple[ClassWant, ...] = ()
    endless: Mapping[str, int] = {NOTHING: ENDLESS}
    fit: Fit = fit_for(())
    fit_hard: Fit = fit_for(())
    fit_preferred: Fit = fit_for(())


def asks_of(wants: tuple[ClassWant, ...], language: str = "") -> Asks:
    hard, preferred = (tuple([want for want in wants if want.hard is each]) for each in (True, False))
    named = (NOTHING, LANGUAGE + language, *(SKILL + want.skill for want in wants))
    fits = [fit_for(each) for each in (wants, hard, preferred)]
    return Asks(wants, hard, preferred, dict.fromkeys(named, ENDLESS), *fits)


def others_of(having: Mapping[str, int], asks: Asks) -> dict[str, int]:
    """``Wish.others``: of who could take the case how many have what."""
    return {**having, **asks.endless}


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


class Wish(msgspec.Struct, frozen=True):
    """What a ranking looks at besides the advisors. ``last_advisor`` knows the case; ``others`` says of each skill and
    language how many could take it just now and have that, and of what it asks for itself that there is no end."""

    case: CaseId
    now_ms: int
    asks: Asks = Asks()
    last_advisor: str = ""
    others: Mapping[str, int] = {}
    mix: Mix = mix_of(EVEN)
    ramp_s: int = 0


Values = tuple[float, ...]
Ranking = Callable[[Member], Values]


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
    """``rank`` is the strategy: by what it gives for a case, of two, the one whose first differing value is greater
    goes first. ``names`` are those of the values. ``orders`` sort members likewise, without a look at the case, and are
    kept up by the roster: all begin with how often each is asked already. ``search`` says how the two meet. Only
    a strategy that does ``look_around`` is told of ``Wish.others``."""

    rank: Callable[[Wish], Ranking]
    names: Callable[[Wish], tuple[str, ...]]
    orders: tuple[Callable[[Member], Rank], ...]
    search: Search = Search.ORDER
    look_around: bool = False


def longest_idle(wish: Wish) -> Ranking:
    """Who has been without a change of work for longest; then who has the greatest free share."""
    now_ms, preferred = wish.now_ms, _preferred(wish)
    return lambda one: ((now_ms - one.state.idle_since_ms) / 1000, one.free_share, *preferred(one))


def least_loaded(wish: Wish) -> Ranking:
    """Who has the greatest free share of his budget; then the preferred skills, then the longest idle."""
    now_ms, preferred = wish.now_ms, _preferred(wish)
    return lambda one: (one.free_share, *preferred(one), (now_ms - one.state.idle_since_ms) / 1000)


def round_robin(wish: Wish) -> Ranking:
    """Whose last offer is longest ago, however much he has and whatever he has finished since."""
    now_ms, preferred = wish.now_ms, _preferred(wish)
    return lambda one: ((now_ms - one.turn_ms) / 1000, *preferred(one))


def most_skilled(wish: Wish) -> Ranking:
    """Who fits the wanted skills best, hard and preferred ones alike; then the longest idle."""
    now_ms, fit = wish.now_ms, wish.asks.fit
    return lambda one: (fit(one), (now_ms - one.state.idle_since_ms) / 1000, one.free_share)


def least_skilled(wish: Wish) -> Ranking:
    """Who has just what the case demands, then who has the fewest levels in all: experts stay free for what needs
    them. Then the preferred skills, then the longest idle."""
    now_ms, preferred, fit = wish.now_ms, _preferred(wish), wish.asks.fit_hard
    return lambda one: (
        1 - fit(one),
        0.0 - one.levels,
        *preferred(one),
        (now_ms - one.state.idle_since_ms) / 1000,
    )


def balanced(wish: Wish) -> Ranking:
    """The weighted mean of terms from 0 to 1, the score first. A term of weight 0 is left out."""
    by_fit, by_share, by_idle_time, by_affinity, by_scarcity, by_ramp, left_out = wish.mix
    now_ms, last_advisor, others, ramp_s = wish.now_ms, wish.last_advisor, wish.others, wish.ramp_s
    fit_of = wish.asks.fit

    def values(one: Member) -> Values:
        state, share, fit = one.state, one.free_share, fit_of(one)
        idle_s = (now_ms - state.idle_since_ms) / 1000
        idle = idle_s / (idle_s + IDLE_HALF_S) if idle_s > 0 else 0.0
        affinity = 1.0 if last_advisor and state.id == last_advisor else 0.0
        # 1 less the scarcity of the scarcest skill or language that he has and the case doesn't ask for: one over how
        # many could take such a case now and have it. 0 when he is the last: he is kept for whoever needs that.
        fewest = min(one.each_of(others))
        scarcity = 1 - 1 / fewest if fewest > 1 else 0.0
        ramp_in = _ramp_in(now_ms - state.online_since_ms, ramp_s) if ramp_s else 1.0
        score = by_fit * fit + by_share * share + by_idle_time * idle
        score = score + by_affinity * affinity + by_scarcity * scarcity + by_ramp * ramp_in
        return score, fit, share, idle, affinity, scarcity, ramp_in

    if not left_out:
        return values
    kept = [name not in left_out for name in _MIXED]
    return lambda one: tuple(compress(values(one), kept))


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


def _named(*names: str) -> Callable[[Wish], tuple[str, ...]]:
    """Names of terms; ``preferred`` is one of all of them or of none: that follows from the case alone."""
    without = tuple([name for name in names if name != "preferred"])
    return lambda wish: names if wish.asks.preferred else without


def _names_of_mix(wish: Wish) -> tuple[str, ...]:
    left_out = wish.mix.left_out
    return tuple([name for name in _MIXED if name not in left_out]) if left_out else _MIXED


LONGEST_IDLE: Final = Strategy(longest_idle, _named("idle_s", "free_share", "preferred"), (by_idle,))

STRATEGIES: Final[dict[str, Strategy]] = {
    "longest-idle": LONGEST_IDLE,
    "least-loaded": Strategy(least_loaded, _named("free_share", "preferred", "idle_s"), (by_load,)),
    "round-robin": Strategy(round_robin, _named("since_offer_s", "preferred"), (by_turn,)),
    "most-skilled": Strategy(most_skilled, lambda _: ("skill_fit", "idle_s", "free_share"), (by_idle,), Search.FITTEST),
    "least-skilled": Strategy(
        least_skilled,
        _named("skill_spared", "levels_spared", "preferred", "idle_s"),
        (by_levels,),
        Search.PLAINEST,
    ),
    "balanced": Strategy(balanced, _names_of_mix, (by_idle, by_load), Search.MIX, look_around=True),
}


def strategy_named(name: str) -> Strategy:
    """The strategy of that name; one that doesn't exist any more counts as ``longest-idle``."""
    return STRATEGIES.get(name, LONGEST_IDLE)


def _preferred(wish: Wish) -> Ranking:
    """The fit of the preferred skills, where there are any."""
    if not wish.asks.preferred:
        return lambda _: ()
    fit = wish.asks.fit_preferred
    return lambda one: (fit(one),)


def _ramp_in(online_ms: int, ramp_s: int) -> float:
    return min(1.0, max(0.0, online_ms / 1000 / ramp_s))
