"""The rulebooks in force: the active one, and those that cases still go by."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from router.contract.case import CaseState, read_detail
from router.engine.plans import Scene
from rules import Rulebook

KEPT: Final = 16

Find = Callable[[str], Rulebook | None]


class Policies:
    """Holds rulebooks by their hash. Swapping the active one is a single assignment. ``find`` looks up what isn't
    held, such as the rulebook of a case that waited through a restart; ``forgotten`` is told of each dropped."""

    def __init__(
        self, active: Rulebook, find: Find = lambda _: None, *, forgotten: Callable[[], object] = lambda: None
    ) -> None:
        self.active = active
        self._forgotten = forgotten
        self._find = find
        self._known: OrderedDict[str, Rulebook] = OrderedDict({active.hash: active})

    def add(self, rulebook: Rulebook) -> None:
        """Know a rulebook without activating it; the oldest but the active are forgotten beyond 16."""
        self._known[rulebook.hash] = rulebook
        self._known.move_to_end(rulebook.hash)
        while len(self._known) > KEPT:
            oldest = next(name for name in self._known if name != self.active.hash)
            del self._known[oldest]
            self._forgotten()

    def activate(self, rulebook: Rulebook) -> None:
        self.add(rulebook)
        self.active = rulebook

    def judged_by(self, state: CaseState) -> Rulebook:
        """The rulebook that a case was judged by; the active one if that is nowhere any more."""
        return self.held(read_detail(state.detail).verdict.rulebook) or self.active

    def scene(self, state: CaseState, now_ms: int) -> Scene:
        """What a plan for the case needs: the rulebook that it was judged by, and the one that its clocks go by."""
        detail = read_detail(state.detail)
        judged_by = self.held(detail.verdict.rulebook) or self.active
        return Scene(rulebook=judged_by, now_ms=now_ms, clocked_by=self.held(detail.terms) if detail.terms else None)

    def clocked_by(self, state: CaseState) -> Rulebook:
        """The rulebook whose policies and calendars a case's clocks go by."""
        scene = self.scene(state, 0)
        return scene.clocked_by or scene.rulebook

    def held(self, name: str) -> Rulebook | None:
        """The rulebook of a hash; None if it is nowhere any more."""
        known = self._known.get(name)
        if known is None and (known := self._find(name)) is not None:
            self.add(known)
        return known
