"""Whom acts under way are aimed at: a burst is decided before the first of its acts comes back, and without
this each decision would see the same advisor as the best."""

from collections.abc import Iterator
from contextlib import contextmanager

from router.contract.plan import Placing
from router.engine.roster import Roster


@contextmanager
def aimed(roster: Roster, placing: Placing) -> Iterator[None]:
    """Count the placing's first candidate as asked until the end of the block."""
    if not placing.candidates:
        yield
        return
    first = placing.candidates[0].advisor
    roster.ask(first, 1)
    try:
        yield
    finally:
        roster.ask(first, -1)
