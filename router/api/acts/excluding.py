"""Keeping a case from advisors: what is asked for with other acts, or alone, checked and said in words."""

import difflib
from typing import Final, NoReturn

from router.api.acts import asking
from router.api.acts.asking import CaseAsk
from router.api.desks import Caller
from router.api.problems import Problem, problem, refused
from router.contract.case import read_detail
from router.contract.exclusion import MOST_BY_PEOPLE
from router.contract.ids import AdvisorId
from router.engine.exclusions import NO_WISH, Wish, holder, is_too_many
from router.store.acts import Outcome, Result

_EXCLUDED: Final = (
    "A rule, the customer or somebody of the staff keeps the case from that advisor; `exclusions` say who."
)


def wish_of(ask: CaseAsk) -> Wish:
    """Whom an act keeps its case from."""
    match ask:
        case asking.Transfer() | asking.Requeue() | asking.Exclude():
            return Wish(tuple(ask.exclude), ask.someone_else)
        case asking.Decline():
            return Wish((), ask.someone_else)
        case _:
            return NO_WISH


async def check_wish(caller: Caller, ask: CaseAsk) -> None:
    """Raises ``Refused`` where it names nobody, an unknown advisor, or more than a case can be kept from."""
    wish = wish_of(ask)
    if isinstance(ask, asking.Exclude) and not (wish.advisors or wish.someone_else or ask.lift):
        raise refused("malformed", "Name whom to `exclude` or to `lift`.")
    for name in wish.advisors:
        if caller.desk.known(AdvisorId(name)) is None:
            _unknown(caller, name)
    lift = ask.lift if isinstance(ask, asking.Exclude) else (ask.to,) if isinstance(ask, asking.Transfer) else ()
    if twice := {*wish.advisors} & {*lift}:
        raise refused("malformed", f"{', '.join(sorted(twice))} can't be excluded and have it at once.")
    if not (wish.advisors or wish.someone_else) or isinstance(ask, asking.Decline):
        return
    state = await caller.desk.reads.case(caller.desk.pool, ask.case)
    if state is None:
        return  # the act says so, or what came of it the first time
    detail = read_detail(state.detail)
    if wish.someone_else and not holder(state, detail) and caller.advisor is None:
        raise refused("malformed", "Nobody has had the case yet: name in `exclude` whom to keep it from.")
    if is_too_many(detail, wish.advisors):
        raise refused("too-many-excluded", f"Of one case at most {MOST_BY_PEOPLE}, with those of the rules.")


def as_excluded(caller: Caller, ask: CaseAsk, outcome: Outcome) -> Problem | None:
    """The problem of an advisor who was refused because he is excluded; None when it is another."""
    if outcome.result is not Result.REFUSED or outcome.case is None:
        return None
    match ask:
        case asking.Transfer():
            asked = ask.to
        case asking.Unpark():
            asked = AdvisorId(outcome.case.owner)
        case _:
            asked = caller.key.advisor
    is_his = asked is not None and asked in read_detail(outcome.case.detail).excluded
    return problem("excluded", _EXCLUDED) if is_his else None


def _unknown(caller: Caller, name: str) -> NoReturn:
    close = difflib.get_close_matches(name[:64], (str(member.state.id) for member in caller.desk.tail.roster), n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise refused("unknown-advisor", f"The roster has no advisor {name[:64]!r}.{hint}")
