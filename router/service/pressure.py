"""How short a pool's memory is: looked at each second by whichever router comes first, and told to the pool."""

import logging
from typing import Final, Protocol

from prometheus_client import CollectorRegistry, Gauge

from router.contract.ids import PoolId
from router.runtime.clock import Clock
from router.runtime.server_memory import SOFT, MemoryUse
from router.store.marks import Level
from router.store.protocol import PoolStatus, Pressure, Reads

LOG = logging.getLogger(__name__)
_EVERY_MS: Final = 1_000
# What somebody else found this long ago is good enough.
_FRESH_MS: Final = 700
# Of the server's memory: where a level begins, and below which share it ends.
_MEMORY: Final = ((Level.HARD, 0.90, 0.85), (Level.SOFT, *SOFT))
# Of the outbox mark.
_OUTBOX: Final = (1.0, 0.8)


class Gauged(Reads, Pressure, Protocol):
    """What a barometer reads."""


class PressureMetrics:
    """Gauges of the pools of one process."""

    def __init__(self, registry: CollectorRegistry, pools: tuple[str, ...]) -> None:
        self.level = Gauge(
            "turnout_pressure_level",
            "Whether new work is held back: 0 no, 1 yes, 2 warnings and escalations as well.",
            ("pool",),
            registry=registry,
        )
        self.memory = Gauge(
            "turnout_store_memory_ratio",
            "Share of its memory limit that the state server uses; 0 where it has none or doesn't tell.",
            registry=registry,
        )
        for pool in pools:
            self.level.labels(pool)


def level_of(memory: float | None, outbox: float, before: Level) -> Level:
    """The level of these shares: of the server's memory (None: unknown), and of the outbox mark. It falls later than
    it rises, so that it doesn't flap."""
    for level, begins, ends in _MEMORY:
        if memory is not None and memory >= (ends if before >= level else begins):
            return level
    begins, ends = _OUTBOX
    return Level.SOFT if outbox >= (ends if before >= Level.SOFT else begins) else Level.FINE


class Barometer:
    """One loop over one pool. Every router of the pool runs one; the others rest on what the first of a second found.
    When all are gone, the level ends by itself."""

    def __init__(self, pool: PoolId, store: Gauged, *, clock: Clock, metrics: PressureMetrics) -> None:
        self._pool = pool
        self._store = store
        self._clock = clock
        self._metrics = metrics
        self._knew: bool | None = None

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self.look()
            await self._clock.sleep_until_ms(self._clock.now_ms() + _EVERY_MS)

    async def look(self) -> Level:
        """Look once, and tell the pool unless another router just has; the level that holds now."""
        use = await self._store.memory()
        self._show_memory(use)
        status = await self._store.status(self._pool)
        now = max(self._clock.now_ms(), status.now_ms)
        before = status.level_at(now)
        level = before
        if now - status.looked_ms >= _FRESH_MS:
            share = use.share if use else None
            level = level_of(share, (status.number - status.trimmed) / status.outbox_mark, before)
            if await self._store.press(self._pool, level, now) and level is not before:
                self._say(level, status, share)
        self._metrics.level.labels(self._pool).set(level)
        return level

    def _show_memory(self, use: MemoryUse | None) -> None:
        self._metrics.memory.set(use.share if use else 0)
        if use is None and self._knew is not False:
            LOG.info(
                "the state server has no memory limit, or doesn't tell: only the outbox holds new work back",
                extra={"event": "pressure.unknown"},
            )
        self._knew = use is not None

    def _say(self, level: Level, status: PoolStatus, share: float | None) -> None:
        outbox = status.number - status.trimmed
        extra = {"event": "pressure.level", "pool": self._pool, "level": int(level), "outbox": outbox}
        if level is Level.FINE:
            LOG.info("pool %s takes new work again", self._pool, extra=extra)
            return
        memory = "unknown" if share is None else f"{share:.0%}"
        what = "warnings and escalations" if level is Level.HARD else "new work"
        LOG.warning("pool %s: %s must wait, memory is short (%s used)", self._pool, what, memory, extra=extra)
