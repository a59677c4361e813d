"""Who has room for a case of some weight, kept up advisor by advisor: nothing is counted anew when a case comes."""

from collections import Counter

from router.contract.advisor import AdvisorState


class Room:
    """Slots of those who have room for so many units of a channel, or would have by parking what they have of some.

    ``bits`` has them wherever they are, ``ready`` those of them who are there for the channel, also as ``slots``;
    ``having`` says of each skill and language how many of these have it.
    """

    __slots__ = ("_channel", "_parking", "_roomy", "_units", "bits", "having", "ready", "slots")

    def __init__(self, units: int, channel: str, parking: frozenset[str]) -> None:
        self._units = units
        self._channel = channel
        self._parking = parking
        self._roomy: set[int] = set()
        self.bits = 0
        self.ready = 0
        self.slots: set[int] = set()
        self.having: Counter[str] = Counter()

    @property
    def may_be_full(self) -> bool:
        """Whether somebody without any room may be among them."""
        return bool(self._parking) or not self._units

    def look(self, slot: int, state: AdvisorState, load: int, *, is_online: bool, has: tuple[str, ...]) -> None:
        """Take over where an advisor stands now; ``load`` is his state's, ``has`` what he has been known to have."""
        has_room = self._fits(state, load)
        if has_room != (slot in self._roomy):
            self.bits ^= 1 << slot
            (self._roomy.add if has_room else self._roomy.remove)(slot)
        self._be_ready(slot, has, is_ready=has_room and is_online and self._channel not in state.away_from)

    def leave(self, slot: int, has: tuple[str, ...]) -> None:
        """Count an advisor no more until the next look: what he has is about to change."""
        self._be_ready(slot, has, is_ready=False)

    def _be_ready(self, slot: int, has: tuple[str, ...], *, is_ready: bool) -> None:
        if is_ready == (slot in self.slots):
            return
        self.ready ^= 1 << slot
        having, more = self.having, 1 if is_ready else -1
        (self.slots.add if is_ready else self.slots.remove)(slot)
        for name in has:
            having[name] += more

    def _fits(self, state: AdvisorState, load: int) -> bool:
        if self._parking or self._channel in state.caps:
            return state.has_room(self._units, self._channel, parking=self._parking)
        return load + self._units <= state.budget
