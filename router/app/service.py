"""One process: opened in order, closed in reverse."""

import asyncio
import importlib.util
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from router.api.desks import Desk
from router.app.edges import open_api, open_channels
from router.app.policy import Policy, open_policy
from router.app.pools import open_pool
from router.app.probe import bus_answers
from router.app.process import Process, Role
from router.app.routers import open_relay, open_router
from router.app.state import State, open_state
from router.contract.ids import PoolId
from router.runtime import run_file as run_files
from router.runtime.errors import StartFailed
from router.runtime.interpreter import leave_alone_what_stays, let_the_loop_in
from router.runtime.ops import OpsServer
from router.runtime.plugin_catalog import Installation
from router.runtime.run_file import RunFile
from router.runtime.settings.model import Mode, Settings
from router.service.riding_out import ride_out


class Service:
    """The roles of one process. ``process`` and ``desks`` are there to look at while it runs."""

    def __init__(self, settings: Settings, roles: frozenset[Role], installation: Installation) -> None:
        self.process = Process(settings, roles, installation)
        self.desks: dict[PoolId, Desk] = {}
        self._policy: Policy | None = None
        self._ops: OpsServer

    async def run(self, *, signals: bool = True) -> None:
        """Serve until told to stop, by a signal unless somebody else handles those. Raises what made the service
        fail."""
        process = self.process
        let_the_loop_in()
        async with process.life:
            await asyncio.to_thread(_make, process.data)
            if signals:
                process.life.handle_signals(self._reload)
            await self._open_watch()
            state = await open_state(process)
            process.watchdog.bus_answers = partial(bus_answers, process.settings, state.url)
            run_file = await self._open_roles(state)
            process.life.spawn("watchdog", process.watchdog.run())
            process.readiness.add("start", _is_done)
            await process.life.open("run file", _write_run_file(process.data, run_file), _remove_run_file)
            leave_alone_what_stays()
            await process.life.stopped()
            process.readiness.withdraw("the process is stopping")

    def _reload(self) -> None:
        if self._policy is not None and self._policy.loader is not None:
            self._policy.loader.ask()

    async def _open_watch(self) -> None:
        process = self.process
        process.life.spawn("loop watch", process.loop_watch.run())
        self._ops = OpsServer(
            registry=process.registry,
            metrics=process.runtime_metrics,
            readiness=process.readiness,
            liveness=process.watchdog.problem,
        )
        http = process.settings.http
        await process.life.open("ops port", self._ops.start(http.host, http.ops_port), lambda _, __: self._ops.close())

    async def _open_roles(self, state: State) -> RunFile:
        process, roles = self.process, self.process.roles
        run_file = self._run_file(state)
        if roles & {Role.ROUTER, Role.API}:
            self._policy = await open_policy(process, state)
            await self._open_pools(state, self._policy)
        if Role.RELAY in roles:
            for name in process.settings.served_pools:
                await open_relay(process, state, PoolId(name))
        if Role.ROUTER in roles and self._policy is not None:
            await self._open_routers(state, self._policy)
        if Role.API in roles and self._policy is not None:
            run_file = await open_api(process, state, self._policy, desks=self.desks, run_file=run_file)
        if Role.CHANNELS in roles:
            run_file = await open_channels(process, state, run_file)
        return run_file

    async def _open_pools(self, state: State, policy: Policy) -> None:
        for pool in map(PoolId, dict.fromkeys(self.process.settings.served_pools)):
            opening = open_pool(self.process, state, policy, pool)
            self.desks[pool] = await self.process.life.open(f"pool {pool}", opening)

    async def _open_routers(self, state: State, policy: Policy) -> None:
        for desk in self.desks.values():
            open_router(self.process, state, desk)
        if policy.loader is not None:
            pools = [(desk.actor, desk.tail) for desk in self.desks.values()]
            await self.process.life.open("advisors", policy.loader.enrol(pools))
            run = ride_out(policy.loader.run, "policy files", clock=self.process.clock)
            self.process.life.spawn("policy files", run)

    def _run_file(self, state: State) -> RunFile:
        settings = self.process.settings
        return RunFile(
            pid=os.getpid(),
            roles=tuple(sorted(self.process.roles)),
            ops=f"http://{settings.http.host}:{self._ops.port}",
            store=state.url if settings.mode is Mode.STANDALONE else "",
        )


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise StartFailed(f"data_dir {folder} can't be made: {exc.strerror}") from None


async def _is_done() -> None:
    """The check of a process whose roles have no other: everything has been opened."""


async def _write_run_file(data: Path, run_file: RunFile) -> Path:
    await asyncio.to_thread(run_files.write, data, run_file)
    return data


async def _remove_run_file(data: Path, _left_s: float) -> None:
    await asyncio.to_thread(run_files.remove, data)


def serve(settings: Settings, roles: frozenset[Role], installation: Installation) -> None:
    """Run a service in a fresh event loop until it ends; on uvloop where that is installed."""
    with asyncio.Runner(loop_factory=fast_loop()) as runner:
        runner.run(Service(settings, roles, installation).run())


def fast_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """What makes the fastest event loop installed; None for Python's own."""
    if importlib.util.find_spec("uvloop") is None:
        return None
    import uvloop  # noqa: PLC0415  # an extra that need not be there

    return uvloop.new_event_loop
