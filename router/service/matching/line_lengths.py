"""How many wait in each line, for queues with shares: counted now and then, and kept between by what was handed out."""

from collections.abc import Sequence
from typing import Final, Protocol

from router.contract.ids import PoolId
from router.engine.decide import Waiting
from router.store.protocol import Head, Lines, Reads

COUNTED_FOR_MS: Final = 1_000


class LinedReads(Reads, Lines, Protocol):
    """Reads that can count lines, too."""


class LineLengths:
    """Counting costs by the wait classes, never by the cases that wait, and is done at most once a second, when heads
    are asked for. Heads are always of now: a line that has none has no length, and one that is new has at least 1."""

    def __init__(self, pool: PoolId, reads: LinedReads) -> None:
        self._pool = pool
        self._reads = reads
        self._lengths: dict[str, int] = {}
        self._counted_ms: int | None = None

    async def heads(self, now_ms: int, *, counted: bool) -> Sequence[Waiting]:
        """The heads of all lines; ``counted``: with the lengths of these."""
        if counted and (self._counted_ms is None or not 0 <= now_ms - self._counted_ms < COUNTED_FOR_MS):
            lines = await self._reads.line_sizes(self._pool)
            self._lengths = {line.class_key: line.length for line in lines}
            self._counted_ms = now_ms
        return [self._head(head) for head in await self._reads.heads(self._pool)]

    def handed(self, class_key: str) -> None:
        """A case of that line was handed out by us. What others hand out shows when lines are counted next."""
        if class_key in self._lengths:
            self._lengths[class_key] -= 1

    def _head(self, head: Head) -> Waiting:
        length = max(1, self._lengths.get(head.class_key, 1))
        return Waiting(class_key=head.class_key, score_ms=head.score, case=head.case, length=length)
