"""All advisors of a run together."""

import asyncio
import itertools
from collections.abc import Iterable, Mapping

import aiohttp

from router.demo.advisors import DemoAdvisor, Habits
from router.demo.errors import DemoFailed
from router.demo.history import AdvisorEntry
from router.demo.roster import Advisor

_ONLINE_S = 30.0


class Office:
    """The advisors of a roster, each with a session of his own."""

    def __init__(self, roster: Iterable[Advisor], *, seed: int) -> None:
        marks = itertools.count(1)
        self.advisors = [DemoAdvisor(who, marks, seed=seed, habits=Habits()) for who in roster]

    async def run(self, url: str, keys: Mapping[str, str], online: asyncio.Event) -> None:
        """Let all of them in, set ``online`` when they are, and work until cancelled. Raises ``DemoFailed``, alone or
        in a group."""
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector) as http, asyncio.TaskGroup() as tasks:
            ready = []
            for advisor in self.advisors:
                came = asyncio.Event()
                ready.append(came)
                work = advisor.run(http, url, key=keys[advisor.who.id], ready=came)
                tasks.create_task(work, name=f"advisor {advisor.who.id}")
            try:
                async with asyncio.timeout(_ONLINE_S):
                    for came in ready:
                        await came.wait()
            except TimeoutError as exc:
                raise DemoFailed(f"not all advisors were online within {_ONLINE_S:.0f} s") from exc
            online.set()

    def history(self) -> tuple[AdvisorEntry, ...]:
        """Everybody's history; each advisor's own in its order."""
        return tuple(entry for advisor in self.advisors for entry in advisor.history)
