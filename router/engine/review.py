"""A decision looked at again as a whole: every advisor of the roster, and what spoke against him or for him. Pure."""

import msgspec

from router.contract.ids import AdvisorId, CaseId
from router.engine.decide import ranked
from router.engine.eligibility import Filter, passing
from router.engine.explain import Explanation, decide_again
from router.engine.roster import Roster
from router.engine.waiting import read_class
from rules import Rulebook


class Reviewed(msgspec.Struct, frozen=True, kw_only=True):
    """One advisor: his ``place`` among those who could have the case, the first 1, with his terms; or all the filters
    that he doesn't pass, and then his place is 0."""

    advisor: AdvisorId
    place: int = 0
    terms: dict[str, float] = {}
    removed: tuple[Filter, ...] = ()


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """``advisors``: the able ones in their order, then the others, who is nearest to it first. ``agrees``: whether the
    decision that was made follows from these rows; None where a person decided. Both are None in a mere record."""

    advisors: tuple[Reviewed, ...]
    able: int | None = None
    agrees: bool | None = None


def review(roster: Roster, made: Explanation, case: CaseId, rulebook: Rulebook) -> Review:
    """Decide again by a roster and a rulebook, with everybody in it. What the rows can't tell is left out: which
    decisions of the same router were under way. Takes its time with many advisors."""
    waiting = read_class(made.class_key)
    order = ranked(roster, waiting, case, rulebook, made.at_ms, last_advisor=_last_advisor(made)).scored()
    able = [Reviewed(advisor=one.advisor, place=place, terms=one.terms) for place, one in enumerate(order, start=1)]
    places = {one.advisor for one in order}
    sets = [(name, passing(roster, waiting, name)) for name in Filter]
    others = [
        Reviewed(
            advisor=member.state.id,
            removed=tuple(name for name, bits in sets if not bits >> member.slot & 1),
        )
        for member in roster
        if member.profile.active and member.state.id not in places
    ]
    others.sort(key=lambda one: (len(one.removed), one.advisor))
    return Review(advisors=(*able, *others), able=len(able), agrees=_agrees(made, able, others))


def recorded(made: Explanation) -> Review:
    """Whom the record of a decision names, for when the rows of then are gone."""
    named = [(one.advisor, one.terms) for one in made.best] + [(advisor, {}) for advisor in made.after]
    places = enumerate(named, start=1)
    return Review(
        advisors=tuple(Reviewed(advisor=advisor, place=place, terms=terms) for place, (advisor, terms) in places)
    )


def _last_advisor(made: Explanation) -> str:
    """Who knew the case when it was decided: the case may have had another since."""
    return next((one.advisor for one in made.best if one.terms.get("affinity")), "")


def _agrees(made: Explanation, able: list[Reviewed], others: list[Reviewed]) -> bool | None:
    if made.by:
        return None
    if not made.turn:
        return decide_again(made) == (able[0].advisor if able else None)
    parking = {one.advisor for one in others if one.removed == (Filter.ROOM,)}
    return made.turn in parking or any(one.advisor == made.turn for one in able)
