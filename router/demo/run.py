"""A run of the demo from its start to its account."""

import asyncio
import contextlib
import time
from collections.abc import Mapping
from typing import Final, Protocol

import msgspec

from router.demo.account import Edges, Findings, draw_up
from router.demo.customers import Customers
from router.demo.office import Office
from router.demo.stage import Plan, Stage, open_stage
from router.demo.supervisor import find_waiting
from router.demo.traffic import schedule

_LOOK_S: Final = 0.5
_LOOK_SHARE: Final = 0.1
_DRAIN_S: Final = 45.0
_QUIET_S: Final = 6.0
_LINGER_S: Final = 0.5


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """How things stand, for who watches. ``phase``: ``traffic`` or ``draining``."""

    phase: str
    elapsed_s: float
    edges: Edges
    findings: Findings
    in_hand: Mapping[str, int]


class Screen(Protocol):
    """Shows a run to people."""

    def say(self, text: str) -> None:
        """One line on what is being done."""

    def show(self, scene: Scene) -> None:
        """How things stand now; called about twice a second."""


async def run_demo(plan: Plan, screen: Screen) -> Findings:
    """Start everything, let the traffic flow, wait until it has drained, draw up the account, stop everything.

    Raises ``DemoFailed`` (alone or in a group) or ``RuntimeFailure`` when it can't run.
    """
    async with open_stage(plan, screen.say) as stage:
        return await _Run(plan, stage, screen).play()


class _Run:
    """Customers and advisors at work on a stage."""

    def __init__(self, plan: Plan, stage: Stage, screen: Screen) -> None:
        self._stage = stage
        self._screen = screen
        channels = list(stage.simulators)
        conversations = schedule(seed=plan.seed, seconds=plan.seconds, rate=plan.rate, channels=channels)
        self._customers = Customers(stage.simulators, conversations, sabotage=plan.sabotage)
        self._office = Office(stage.roster, seed=plan.seed)
        self._began = time.monotonic()
        self._look_s = _LOOK_S

    async def play(self) -> Findings:
        stage, online, written = self._stage, asyncio.Event(), asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(stage.service.watch(), name="service watch"),
                tasks.create_task(self._office.run(stage.session_url, stage.advisor_keys, online), name="advisors"),
                tasks.create_task(self._customers.run(online, written), name="customers"),
            ]
            await online.wait()
            self._began = time.monotonic()
            await self._watch(written)
            await self._drain()
            findings = await self._account()
            for task in running:
                task.cancel()
        return findings

    async def _watch(self, written: asyncio.Event) -> None:
        """Show how things stand until all customers have begun to write."""
        while not written.is_set():
            self._look("traffic")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._look_s):
                    await written.wait()

    async def _drain(self) -> None:
        """Wait until everything is answered, or nothing has happened for a while, or it takes too long."""
        ends = time.monotonic() + _DRAIN_S
        entries, since = 0, time.monotonic()
        while time.monotonic() < ends and time.monotonic() - since < _QUIET_S:
            scene = self._look("draining")
            seen = len(scene.edges.customers) + len(scene.edges.advisors)
            if seen != entries:
                entries, since = seen, time.monotonic()
            elif _is_settled(scene) and time.monotonic() - since >= _LINGER_S:
                return  # nothing more came in the meantime: late duplicates would have
            await asyncio.sleep(self._look_s)

    async def _account(self) -> Findings:
        service, seconds = self._stage.service, time.monotonic() - self._began
        found = await find_waiting(service.run_file.api, self._stage.supervisor_key)
        edges = msgspec.structs.replace(self._edges(), found=found)
        return draw_up(edges, sweep_found=await service.sweep_found(), seconds=seconds)

    def _look(self, phase: str) -> Scene:
        began = time.monotonic()
        edges, elapsed_s = self._edges(), began - self._began
        scene = Scene(
            phase=phase,
            elapsed_s=elapsed_s,
            edges=edges,
            findings=draw_up(edges, sweep_found=0, seconds=elapsed_s),
            in_hand={advisor.who.id: advisor.in_hand for advisor in self._office.advisors},
        )
        self._screen.show(scene)
        # Histories grow: looking at them must not take the time of those who write them.
        self._look_s = max(_LOOK_S, (time.monotonic() - began) / _LOOK_SHARE)
        return scene

    def _edges(self) -> Edges:
        stage = self._stage
        return Edges(
            customers=tuple(self._customers.history),
            advisors=self._office.history(),
            roster={who.id: who for who in stage.roster},
            units=stage.units,
            channels=tuple(stage.simulators),
        )


def _is_settled(scene: Scene) -> bool:
    account = scene.findings.account
    is_resolved = account.sent == account.accepted == account.resolved
    return is_resolved and account.replies_sent == account.replies_delivered
