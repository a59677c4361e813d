"""Policy from files to the installation: read as a whole, published when it is right, kept as it is when not."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from router.runtime.clock import Clock
from router.service.acting import Actor
from router.service.configuration.rule_files import RuleFiles, enrol
from router.service.configuration.topic import ConfigurationTail, ConfigurationWriter
from router.service.measuring.metrics import ServiceMetrics
from router.service.roster import RosterTail
from rules import Roster, Rulebook
from rules.errors import Problem, RulesError

LOG = logging.getLogger(__name__)
_LOOK_EVERY_MS: Final = 2_000


class PolicyLoader:
    """The router's part in configuration. Every process, this one too, takes the rulebook from the topic."""

    def __init__(
        self,
        files: RuleFiles,
        writer: ConfigurationWriter,
        tail: ConfigurationTail,
        *,
        clock: Clock,
        metrics: ServiceMetrics,
    ) -> None:
        self._files = files
        self._writer = writer
        self._tail = tail
        self._clock = clock
        self._metrics = metrics
        self._pools: Sequence[tuple[Actor, RosterTail]] = ()
        self._asked = asyncio.Event()
        self._roster = Roster(advisors=(), hash="")
        self._weeks: dict[str, int] = {}

    async def start(self) -> None:
        """Publish the files' rulebook unless the topic has it, or had it and went on to another: a restart must
        not undo a change. Raises ``RulesError`` with every problem when the files are wrong."""
        rulebook, _, doubts = await asyncio.to_thread(self._files.both, self._clock.now_ms())
        _tell(doubts)
        if self._tail.stored(rulebook.hash) is None:
            await self._writer.activate(rulebook, by="start")

    async def enrol(self, pools: Sequence[tuple[Actor, RosterTail]]) -> None:
        """Make each pool's advisors as the roster file says, now and at every reload. The rosters must have been
        read: they tell who has left the file."""
        self._pools = pools
        await self._enrol(await asyncio.to_thread(self._files.roster))

    def ask(self) -> None:
        """Reload soon: what SIGHUP does."""
        self._asked.set()

    async def run(self) -> None:
        """Reload when asked, or when a file has changed, and follow the days, until cancelled."""
        stamp = await asyncio.to_thread(self._files.stamp)
        while True:
            is_asked = await self._clock.wait(self._asked, _LOOK_EVERY_MS / 1000)
            self._asked.clear()
            now = await asyncio.to_thread(self._files.stamp)
            if is_asked or now != stamp:
                stamp = now
                await self.reload(anew=is_asked)
            elif _weeks_of(self._roster, self._clock.now_ms()) != self._weeks:
                await self._enrol(self._roster)

    async def reload(self, *, anew: bool = True) -> bool:
        """Take over what the files say; False, with everything left as it was, when they are wrong. Unless it is done
        ``anew``, a roster that says what it said is left alone: to hold a thousand advisors against the store takes
        the loop's time from those who wait for an offer."""
        try:
            rulebook, roster, doubts = await asyncio.to_thread(self._files.both, self._clock.now_ms())
        except (RulesError, OSError) as exc:
            self._metrics.rules_good.set(0)
            LOG.error("the rules are not taken over, the old ones stay:\n%s", exc, extra={"event": "rules.refused"})  # noqa: TRY400 - the text says all
            return False
        _tell(doubts)
        await self._take(rulebook)
        if anew or roster.hash != self._roster.hash:
            await self._enrol(roster)
        self._metrics.rules_good.set(1)
        return True

    async def _take(self, rulebook: Rulebook) -> None:
        active = self._tail.active
        if active is None or active.hash != rulebook.hash:
            await self._writer.activate(rulebook, by="files")
            LOG.info("rulebook %s is in force", rulebook.hash, extra={"event": "rules.active"})

    async def _enrol(self, roster: Roster) -> None:
        """Make the advisors as the roster has them now; another week of somebody's onboarding is another row."""
        weeks, now_ms = _weeks_of(roster, self._clock.now_ms()), self._clock.now_ms()
        for actor, tail in self._pools:
            rows = [row.at(now_ms) for row in self._files.around.rows(roster, actor.pool)]
            changed = await enrol(actor, tail, rows)
            if changed:
                LOG.info("%s advisors changed", changed, extra={"event": "roster.enrolled", "pool": actor.pool})
        self._roster, self._weeks = roster, weeks


def _tell(doubts: Sequence[Problem]) -> None:
    """What does no harm, and is for a person to judge: at the start and at every reload."""
    for doubt in doubts:
        LOG.warning("%s", doubt, extra={"event": "rules.doubt"})


def _weeks_of(roster: Roster, now_ms: int) -> dict[str, int]:
    """Which week it is of the onboarding of each who has one."""
    return {row.id: row.onboarding.number(now_ms) for row in roster.advisors if row.onboarding is not None}
