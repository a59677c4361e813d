"""What the docstrings of acts list is what the acts give."""

import re

import pytest

from router.contract.case import CaseStatus
from router.store.acts import Act, Close, FollowUp, Pend, PlannedAct, Result
from router.store.marks import YIELDING
from router.store.outcomes import Outcome
from router.store.rebuilds import first_number
from tests.suites.faults.tales import case, state_of
from tests.suites.store.outcomes import results_of
from tests.suites.store.samples import KINDS

# Said once for all acts, at the top of the module.
COMMON = {Result.NEWER, Result.FOREIGN, Result.SKEWED, Result.ABSENT, Result.GONE, Result.CONFLICT}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_an_act_lists_what_it_gives(kind: type[Act]) -> None:
    text = (Pend if kind is FollowUp else kind).__doc__ or ""
    listed = {Result[name] for name in re.findall(r"``([A-Z_]+)``", text) if name in Result.__members__}
    shared = COMMON if issubclass(kind, PlannedAct) else COMMON - {Result.GONE, Result.CONFLICT}
    shared = shared | {Result.FULL} if kind in YIELDING else shared
    assert listed <= results_of(kind)
    assert results_of(kind) - listed <= shared


def test_what_is_listed_for_close_is_all_of_it() -> None:
    assert results_of(Close) - COMMON == {Result.DONE}


@pytest.mark.parametrize(
    ("number", "repeated", "gen", "waits"),
    [
        (7, False, 1, True),
        (7, True, 1, True),  # perhaps only now on its way to the bus
        (7, True, 2, False),  # a rebuild has read it there
        (first_number(2) + 7, True, 2, True),
        (first_number(2) + 7, True, 3, False),
        (0, False, 2, False),
    ],
)
def test_what_a_rebuild_brought_back_need_not_be_waited_for(number: int, repeated: bool, gen: int, waits: bool) -> None:
    state = state_of(case("c", 1, CaseStatus.QUEUED, gen=gen))
    outcome = Outcome(result=Result.DONE, number=number, repeated=repeated, case=state)
    assert outcome.durable_at == (number if waits else 0)
