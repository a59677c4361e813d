"""What a case is whose offers a rebuild finds no room for: it waits again, or is its owner's alone."""

from msgspec.structs import replace

from router.contract.case import CaseState, CaseStatus, read_detail
from router.engine import consulting, plans
from router.runtime.clock import Clock
from router.service.configuration.policies import Policies
from router.service.rebuilding.capacity import Requeue


def requeueing(policies: Policies, clock: Clock) -> Requeue:
    """What the act ``requeue`` makes of such a case: it keeps its place, one version later. Only what rings ends of one
    on which advice is asked for."""

    def requeue(state: CaseState) -> CaseState:
        scene = policies.scene(state, clock.now_ms())
        plan = plans.plan(state, read_detail(state.detail), scene)
        rings = {f"offer|{offer.ver}": 0 for offer in state.offers}
        ended = replace(
            state,
            ver=state.ver + 1,
            changed_at_ms=scene.now_ms,
            offers=(),
            timers={timer: at for timer, at in (state.timers | plan.timers | rings).items() if at},
            detail=plan.detail or state.detail,
        )
        if consulting.is_rung(state):
            return ended
        return replace(ended, state=CaseStatus.QUEUED, owner="", over=False, class_key=plan.class_key, score=plan.score)

    return requeue
