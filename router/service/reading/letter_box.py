"""The dead letters as an operator sees them: found, shown, put back on their topics, or dropped."""

from collections.abc import Sequence

import msgspec

from router.contract.topics import DEAD_LETTERS
from router.runtime.bus.protocol import Bus
from router.runtime.dead_letters import Letter, Settled, Settlement, read_letter


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which letters: all that is given must hold. ``reason`` and ``topic`` may be a part, of any case; ``key`` is the
    whole key (of an inquiry: its conversation)."""

    ids: frozenset[str] = frozenset()
    topic: str = ""
    reason: str = ""
    key: str = ""
    since_ms: int = 0

    def takes(self, letter: Letter) -> bool:
        """Whether a letter is one of them."""
        return (
            (not self.ids or letter.id in self.ids)
            and self.topic.casefold() in letter.topic.casefold()
            and self.reason.casefold() in letter.reason.casefold()
            and self.key in {"", letter.key}
            and letter.at_ms >= self.since_ms
        )


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What was looked for: letters that are open, in the order in which their records lay, and what became of those
    among ``Wanted.ids`` that are not."""

    letters: Sequence[Letter]
    settled: Sequence[Settlement]


class LetterBox:
    """All letters of an installation. A letter that was put aside more than once is one."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def find(self, wanted: Wanted) -> Found:
        """Read the whole topic, from ``since_ms`` on. Raises ``BusUnavailable``."""
        letters: dict[str, Letter] = {}
        settled: dict[str, Settlement] = {}
        async for record in self._bus.history(DEAD_LETTERS, since_ms=wanted.since_ms):
            found = read_letter(record)
            if isinstance(found, Letter):
                if wanted.takes(found) and found.id not in settled:
                    letters[found.id] = found
            elif found is not None:
                letters.pop(found.letter, None)
                settled.setdefault(found.letter, found)
        return Found(
            letters=sorted(letters.values(), key=_place),
            settled=[note for letter, note in sorted(settled.items()) if letter in wanted.ids],
        )

    async def replay(self, letter: Letter) -> None:
        """Put the record back on its topic, then note it. Broken off in between, the letter stays open: replayed again
        its record comes twice, with the ids by which repeats are known. Raises ``BusUnavailable``, ``RecordRefused``;
        ``ValueError`` for a letter that was cut."""
        if letter.cut_from_bytes:
            raise ValueError(f"only the beginning of {letter.id} was kept: it can't be replayed")
        await self._bus.publish([letter.replay()])
        await self._bus.publish([letter.settled(Settled.REPLAYED)])

    async def drop(self, letter: Letter) -> None:
        """Note that nothing is to be done about it. Raises ``BusUnavailable``."""
        await self._bus.publish([letter.settled(Settled.DROPPED)])


def _place(letter: Letter) -> tuple[str, int, int]:
    partition, _, offset = letter.id.rpartition("/")[2].partition("@")
    return letter.topic, int(partition), int(offset)
