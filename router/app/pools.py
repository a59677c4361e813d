"""What routers and API need of each pool that they serve."""

from router.api.desks import Desk
from router.app.policy import Policy
from router.app.process import Process
from router.app.state import State
from router.contract.ids import PoolId
from router.service.acting import Actor
from router.service.casework import Casework
from router.service.progress import Progress
from router.service.roster import RosterTail
from router.service.tally import Tally


async def open_pool(process: Process, state: State, policy: Policy, pool: PoolId) -> Desk:
    """Make or join a pool; returns once its roster is known."""
    store = state.store
    actor = Actor(pool, store, store, clock=process.clock, metrics=process.metrics)
    await actor.open()
    tail = RosterTail(pool, store)
    actor.show(Tally(process.metrics, tail.roster).observe)
    actor.tell(tail.correct)
    progress = Progress(pool, store)
    process.life.spawn(f"roster {pool}", tail.run())
    process.life.spawn(f"progress {pool}", progress.run())
    await tail.ready.wait()
    casework = Casework(actor, store, tail, policies=policy.policies)
    return Desk(actor=actor, reads=store, casework=casework, tail=tail, progress=progress, policies=policy.policies)
