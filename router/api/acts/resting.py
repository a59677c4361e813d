"""What advisors set aside, and what they finish: parking by hand, taking up again, wrapping up."""

from typing import assert_never

from router.api.acts import asking
from router.api.acts.rights import himself
from router.api.desks import Caller
from router.api.problems import refused
from router.contract.case import CaseState
from router.contract.config import Role
from router.contract.ids import AdvisorId
from router.engine import capacity
from router.store.acts import Outcome

Resting = asking.Park | asking.Unpark | asking.WrapUp


async def rest(caller: Caller, ask: Resting) -> Outcome:
    """Apply it. Raises ``Refused`` where the rules, or the caller's role, don't let him."""
    match ask:
        case asking.Park():
            return await _park(caller, ask)
        case asking.Unpark():
            return await _unpark(caller, ask)
        case asking.WrapUp():
            return await _wrap_up(caller, ask)
        case _:
            assert_never(ask)


async def _park(caller: Caller, ask: asking.Park) -> Outcome:
    state = await caller.desk.reads.case(caller.desk.pool, ask.case)
    if caller.advisor and state is not None:
        # Whoever it belongs to, the store knows.
        weight = caller.desk.policies.judged_by(state).weight(state.channel)
        if not weight.interruptible:
            raise refused("forbidden", f"The rules let no case of the channel {state.channel} be parked.")
    request = caller.request(ask.op, ask.reason)
    return await caller.desk.casework.aside.park(ask.case, request, for_s=ask.for_s)


async def _unpark(caller: Caller, ask: asking.Unpark) -> Outcome:
    if ask.over and caller.key.role is not Role.SUPERVISOR:
        raise refused("forbidden", "Only supervisors may put an advisor above his capacity.")

    def may_exceed(state: CaseState) -> bool:
        weight = caller.desk.policies.judged_by(state).weight(state.channel)
        return ask.over or weight.over_when_back

    return await caller.desk.casework.aside.unpark(ask.case, caller.request(ask.op, ask.reason), may_exceed=may_exceed)


async def _bounded(caller: Caller, ask: asking.WrapUp, advisor: AdvisorId, channel: str) -> None:
    """Raises ``Refused`` where it would last longer in all than the channel lets it."""
    desk = caller.desk
    rulebook, history = desk.policies.active, await desk.reads.history(desk.pool, ask.case)
    began_ms = capacity.wrap_up_began(history, advisor)
    left_s = capacity.wrap_up_left_s(began_ms, channel, rulebook, desk.actor.now_ms())
    if ask.more_s > left_s:
        most_s = rulebook.weight(channel).wrap_up_most_s
        raise refused("forbidden", f"On the channel {channel} a wrap-up lasts {most_s} s at most: {left_s} s are left.")


async def _wrap_up(caller: Caller, ask: asking.WrapUp) -> Outcome:
    advisor = himself(caller, to_do="who could wrap anything up")
    if ask.more_s:
        state = caller.desk.known(advisor)
        channel = state.work[ask.case].channel if state and ask.case in state.work else ""
        most_s = caller.desk.policies.active.weight(channel).wrap_up_more_s
        if channel and ask.more_s > most_s:
            raise refused("forbidden", f"On the channel {channel} a wrap-up goes on for at most {most_s} s at a time.")
        if channel:
            await _bounded(caller, ask, advisor, channel)
    return await caller.desk.casework.wrap_up(ask.case, caller.request(ask.op), advisor=advisor, more_s=ask.more_s)
