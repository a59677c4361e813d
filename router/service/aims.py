"""Whom acts under way are aimed at: a burst is decided before the first of its acts comes back, and without
this each decision would see the same advisor as the best."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from router.contract.ids import AdvisorId
from router.contract.plan import Placing


class Aims:
    """The acts under way in this process: ``counts`` by the advisor each tries first, for the ranking."""

    def __init__(self) -> None:
        self.counts: Counter[AdvisorId] = Counter()

    @contextmanager
    def at(self, placing: Placing) -> Iterator[None]:
        """Count the placing's first candidate until the end of the block."""
        if not placing.candidates:
            yield
            return
        first = placing.candidates[0].advisor
        self.counts[first] += 1
        try:
            yield
        finally:
            self.counts[first] -= 1
            if not self.counts[first]:
                del self.counts[first]
