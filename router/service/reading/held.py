"""Held conversations: what follows a record that was put aside waits for it among the dead letters."""

from typing import Final

from router.contract.topics import DEAD_LETTERS
from router.runtime.bus.protocol import Bus, Record
from router.runtime.dead_letters import Letter, is_replay, letter_id, read_letter

_OVERLAP_MS: Final = 60_000  # the clocks of those who publish differ


class Held:
    """The conversations with a letter that is neither replayed nor dropped. The dead letters themselves are the memory
    of it: every process that comes to own a partition reads what it doesn't know of them."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._letters: dict[tuple[str, str], set[str]] = {}
        self._places: dict[str, tuple[str, str]] = {}
        self._since_ms = 0

    async def catch_up(self) -> None:
        """Read the letters and notes that were written since the last time. Raises ``BusUnavailable``."""
        async for record in self._bus.history(DEAD_LETTERS, since_ms=self._since_ms):
            self._since_ms = max(self._since_ms, record.published_at_ms - _OVERLAP_MS)
            found = read_letter(record)
            if isinstance(found, Letter):
                self._add((found.topic, found.key), found.id)
            elif found is not None:
                self._settle(found.letter)

    async def holds(self, record: Record) -> bool:
        """Whether the record has to wait for an earlier one of its conversation. A replay never has: it is put back in
        the order in which it came. Raises ``BusUnavailable``."""
        place = (record.partition.topic, record.key)
        if is_replay(record) or place not in self._letters:
            return False
        await self.catch_up()  # somebody may have settled it just now
        return place in self._letters

    def hold(self, record: Record) -> None:
        """This one was put aside: those behind it wait."""
        self._add((record.partition.topic, record.key), letter_id(record))

    def _add(self, place: tuple[str, str], letter: str) -> None:
        self._letters.setdefault(place, set()).add(letter)
        self._places[letter] = place

    def _settle(self, letter: str) -> None:
        place = self._places.pop(letter, None)
        if place is not None:
            self._letters[place].discard(letter)
            if not self._letters[place]:
                del self._letters[place]
