"""What people decide: who is chosen by hand, and which of the filters that overrides. Pure."""

from msgspec.structs import replace

from router.contract.case import CaseState, read_detail
from router.contract.ids import AdvisorId
from router.contract.plan import Plan
from router.engine import exclusions, plans
from router.engine.decide import decide
from router.engine.eligibility import Filter, passing
from router.engine.explain import Explanation, write_explanation
from router.engine.plans import Scene
from router.engine.roster import Roster
from router.engine.waiting import WaitClass, crowded_class


def asked(state: CaseState, scene: Scene) -> WaitClass:
    """What the case asks of an advisor who is chosen by hand: nothing that holds only for a while counts."""
    detail = read_detail(state.detail)
    return crowded_class(plans.waiting_class(state, detail, scene), detail)


def overrides(roster: Roster, waiting: WaitClass, advisor: AdvisorId) -> tuple[str, ...]:
    """The filters that would have kept the case from that advisor; none when he is eligible, all of them when the
    roster doesn't know him."""
    bit = roster.bit(advisor)
    return tuple(str(name) for name in Filter if not bit & passing(roster, waiting, name))


def is_excluded(state: CaseState, advisor: AdvisorId) -> bool:
    """Whether the advisor must not have the case."""
    return advisor in read_detail(state.detail).excluded


def may_pick(state: CaseState, roster: Roster, scene: Scene, advisor: AdvisorId) -> bool:
    """Whether an advisor fits all that the case asks; whether he has room, the act says."""
    return not set(overrides(roster, asked(state, scene), advisor)) - {Filter.ROOM}


def by_hand(decided: Explanation, roster: Roster, waiting: WaitClass, *, to: AdvisorId, actor: str) -> Explanation:
    """The record of a decision that a person made: whom the rules would have chosen (``decided``), whom he chose, and
    what that overrides."""
    return replace(decided, turn=to, by=actor, overrode=overrides(roster, waiting, to))


def assigned(state: CaseState, roster: Roster, scene: Scene, *, to: AdvisorId, actor: str) -> Plan:
    """The plan for a case that somebody gives to an advisor: kept for nobody any more, with the record of it. If he was
    excluded, he isn't from then on."""
    detail = replace(read_detail(state.detail), held_for="", held_until_ms=None)
    detail = exclusions.lift(detail, (to,), scene.now_ms, by=actor)
    waiting = asked(state, scene)
    decided = decide(roster, waiting, state.id, scene.rulebook, scene.now_ms).explanation
    his = plans.assigned(state, plans.taken_up(state, detail, scene), scene)
    why = by_hand(decided, roster, waiting, to=to, actor=actor)
    return plans.plan(state, his, scene, why=write_explanation(why))
