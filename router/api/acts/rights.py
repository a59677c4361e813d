"""What a caller may see and do, where his role alone doesn't tell."""

from router.api.desks import Caller, is_his, may_pick, was_his
from router.api.problems import refused
from router.contract.case import CaseState, read_detail
from router.contract.ids import AdvisorId, CaseId
from rules import Queue


async def own_case(caller: Caller, case: CaseId) -> CaseState:
    """A case that the caller may see. Raises ``Refused``."""
    state = await caller.desk.reads.case(caller.desk.pool, case)
    if state is None:
        raise refused("not-found", "The case is closed for good, or never was.")
    if caller.advisor and not is_his(state, caller.advisor):
        raise refused("not-yours", "Only the advisor who has the case, or is offered it, may see it.")
    return state


async def shown_case(caller: Caller, case: CaseId) -> CaseState:
    """A case that the caller may look at: his, or one that was his before it was escalated. Raises ``Refused``."""
    state = await caller.desk.reads.case(caller.desk.pool, case)
    if state is None or not caller.advisor or not was_his(state, caller.advisor):
        return await own_case(caller, case)
    return state


def himself(caller: Caller, *, to_do: str) -> AdvisorId:
    """The advisor of the key, who is meant where an act names nobody. Raises ``Refused`` for a key without one."""
    if caller.key.advisor is None:
        raise refused("forbidden", f"This key names no advisor {to_do}.")
    return caller.key.advisor


async def picker(caller: Caller, case: CaseId) -> AdvisorId:
    """The advisor of the key, if the case's queue lets him take cases himself. Raises ``Refused``."""
    advisor, queue = himself(caller, to_do="who could take it"), await queue_of(caller, case)
    if queue is None or not may_pick(caller.desk, advisor, queue):
        raise refused("forbidden", "The queue lets no advisor of your tier take its cases himself.")
    return advisor


async def queue_of(caller: Caller, case: CaseId) -> Queue | None:
    """The settings of the queue that a case belongs to; None for a case or a queue that isn't there any more."""
    state = await caller.desk.reads.case(caller.desk.pool, case)
    return caller.desk.policies.active.queues.get(read_detail(state.detail).verdict.queue) if state else None
