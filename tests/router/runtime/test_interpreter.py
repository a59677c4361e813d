"""The collector leaves alone what stays and still finds the cycles that come; threads give way to the loop."""

import gc
import sys
import weakref
from collections.abc import Iterator

import pytest

from router.runtime.interpreter import leave_alone_what_stays, let_the_loop_in


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    before, switch_s = gc.get_threshold(), sys.getswitchinterval()
    yield
    sys.setswitchinterval(switch_s)
    gc.unfreeze()
    gc.set_threshold(*before)


class Ring:
    def __init__(self) -> None:
        self.itself = self


def test_what_is_there_is_never_looked_at_again() -> None:
    standing = [Ring() for _ in range(100)]
    leave_alone_what_stays()
    assert not any(one is standing[0] for one in gc.get_objects())
    assert gc.get_freeze_count() > len(standing)


def test_cycles_that_come_later_are_found_without_being_asked_for() -> None:
    leave_alone_what_stays()
    ring = Ring()
    gone = weakref.ref(ring)
    del ring
    kept = [[number] for number in range(gc.get_threshold()[0] + 1)]
    assert gone() is None
    assert kept


def test_repeating_it_harms_nothing() -> None:
    leave_alone_what_stays()
    leave_alone_what_stays()
    assert gc.isenabled()


def test_a_thread_that_computes_keeps_the_loop_for_less_than_a_millisecond_at_a_time() -> None:
    let_the_loop_in()
    assert sys.getswitchinterval() < 0.001
