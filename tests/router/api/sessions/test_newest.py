"""What a session is told of a case never goes back, but to what a rebuilt store holds."""

import pytest

from router.api.sessions.newest import Newest
from router.api.views import case_view
from router.contract.case import CaseState
from tests.suites.rebuild_records import assigned


def state(gen: int, ver: int, name: str = "a") -> CaseState:
    return assigned(name, "minji", gen=gen, ver=ver)


@pytest.mark.parametrize(
    ("told", "now", "shown"),
    [
        ((1, 3), (1, 4), 4),
        ((1, 3), (1, 3), 3),
        ((1, 4), (1, 3), 4),
        # Version 4 was lost with the store: the case is as version 3 left it.
        ((1, 4), (2, 3), 3),
        ((2, 3), (1, 4), 3),
    ],
)
def test_the_newest_that_was_told_is_shown(told: tuple[int, int], now: tuple[int, int], shown: int) -> None:
    newest = Newest(10)
    newest.view(state(*told))
    assert newest.view(state(*now)).ver == shown


def test_only_so_many_cases_are_known() -> None:
    newest = Newest(1)
    newest.view(state(1, 4))
    newest.view(state(1, 1, "b"))
    assert newest.view(state(1, 3)) == case_view(state(1, 3))
