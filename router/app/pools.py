"""What routers and API need of each pool that they serve."""

from router.api.desks import Desk
from router.app.policy import Policy
from router.app.process import Process, Role
from router.app.rebuilding import enter_pool
from router.app.state import State
from router.contract.ids import PoolId
from router.service.acting import Actor
from router.service.cases.casework import Casework
from router.service.hindsight import Hindsight
from router.service.matching.pace import Pace
from router.service.measuring.tally import Tally
from router.service.progress import Progress
from router.service.riding_out import ride_out
from router.service.roster import RosterTail


async def open_pool(process: Process, state: State, policy: Policy, pool: PoolId) -> Desk:
    """Make or join a pool, once its state is known to be whole; returns when its roster is known."""
    keeper = await enter_pool(process, state, pool, policy)
    store = state.store
    actor = Actor(pool, store, store, clock=process.clock, metrics=process.metrics)
    actor.when_unsettled(keeper.doubt)
    await actor.open(make=False)
    past = Hindsight(process.clock.now_ms)
    tail = RosterTail(pool, store, past=past if Role.API in process.roles else None)
    actor.show(Tally(process.metrics, tail.roster).observe)
    actor.tell(tail.correct)
    pace = Pace(tail.roster, process.clock.now_ms)
    tail.listen(pace.look)
    progress = Progress(pool, store)
    process.life.spawn(f"roster {pool}", ride_out(tail.run, f"roster {pool}", clock=process.clock))
    process.life.spawn(f"progress {pool}", ride_out(progress.run, f"progress {pool}", clock=process.clock))

    async def settled() -> None:
        await actor.open(make=False)
        tail.read_anew()
        if policy.loader is not None:
            policy.loader.ask()  # profiles that were lost come from the roster again

    keeper.when_settled(settled)
    await tail.ready.wait()
    casework = Casework(actor, store, tail, policies=policy.policies)
    return Desk(
        actor=actor,
        reads=store,
        lines=store,
        casework=casework,
        tail=tail,
        progress=progress,
        policies=policy.policies,
        pace=pace,
        past=past,
    )
