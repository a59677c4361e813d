"""The gate of each pool that a process serves: nothing acts on the store before it is known to be whole."""

from typing import Final

from router.app.policy import Policy
from router.app.process import Process, Role
from router.app.state import State
from router.contract.ids import PoolId
from router.service.pool_watch import PoolWatch
from router.service.rebuilding.gate import Gate
from router.service.rebuilding.keeper import PoolKeeper
from router.service.rebuilding.rebuild import Rebuilder
from router.service.rebuilding.requeueing import requeueing

_GATE_S: Final = 6 * 3600.0
"""A rebuild of millions of cases takes its time, and readiness tells how far it is: no reason to give up."""


async def enter_pool(process: Process, state: State, pool: PoolId, policy: Policy | None = None) -> PoolKeeper:
    """Return once acts may run on the pool, and look after it from then on. A router rebuilds what was lost; any
    other process, and one without a policy, waits until a router has."""
    rebuilder = None
    if Role.ROUTER in process.roles and policy is not None:
        rebuilder = Rebuilder(
            pool,
            state.store.rebuilds,
            state.bus,
            clock=process.clock,
            holder=process.name,
            requeue=requeueing(policy.policies, process.clock),
            finished=process.metrics.rebuilds.inc,
        )
    gate = Gate(pool, state.store, state.store.rebuilds, state.bus, clock=process.clock, rebuilder=rebuilder)
    keeper = PoolKeeper(pool, gate, clock=process.clock)
    await _enter(process, state, keeper, pool)
    process.life.spawn(f"state of {pool}", keeper.run())
    return keeper


async def _enter(process: Process, state: State, keeper: PoolKeeper, pool: PoolId) -> None:
    watch = PoolWatch(pool, state.store, clock=process.clock)

    async def is_settled() -> str | None:
        return watch.problem() or keeper.problem()

    async def enter() -> None:
        # Nothing is vouched for, let alone rebuilt, that this version can't read, nor by a clock that is off.
        await watch.enter()
        await keeper.enter()
        await watch.enter()

    process.readiness.add(f"state of {pool}", is_settled)
    await process.life.open(f"state of {pool}", enter(), within_s=_GATE_S)
    process.life.spawn(f"watch of {pool}", watch.run())
