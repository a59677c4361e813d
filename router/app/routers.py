"""The roles that move cases: relay and router."""

import time
from collections.abc import Awaitable

from router.api.desks import Desk
from router.app.process import Process, Role
from router.app.rebuilding import enter_pool
from router.app.state import State
from router.contract.ids import PoolId
from router.contract.topics import DELIVERIES, inquiries
from router.runtime.bus.lanes import Consumer, Limits
from router.runtime.bus.protocol import Record
from router.runtime.settings.model import Mode
from router.service.deliveries import Deliveries
from router.service.intake import Intake
from router.service.matching.matcher import Matcher
from router.service.matching.shares import Shares, WholeShare
from router.service.matching.sweep import Sweep
from router.service.measuring.census import Census
from router.service.measuring.gauges import Gauges
from router.service.measuring.invariants import Invariants
from router.service.pressure import Barometer
from router.service.reading.attempts import marks_in
from router.service.reading.dead_letters import DeadLetters
from router.service.reading.held import Held
from router.service.reading.input import FencedHandler, Input
from router.service.relaying.relay import Relay
from router.service.relaying.turn import unless_vouched
from router.service.replanning import Replanner
from router.service.riding_out import ride_out
from router.service.timers import Timers
from router.store.acts import Fence

_POLL_AGE_S = 10


async def open_relay(process: Process, state: State, pool: PoolId) -> None:
    """Bring a pool's outbox to the bus from now on, or stand by while another process does.

    It runs on the loop of the process: measured in a thread with a loop and clients of its own, it took a tenth more
    CPU time and made this loop later, as both want the one interpreter. A process of its own is what relieves routers.
    """
    if not process.roles & {Role.ROUTER, Role.API}:
        await enter_pool(process, state, pool)
    alone = process.settings.mode is Mode.STANDALONE
    check = unless_vouched(pool, state.store.rebuilds)
    relay = Relay(pool, state.store, state.bus, clock=process.clock, metrics=process.metrics, alone=alone, check=check)

    async def is_fit() -> str | None:
        return relay.unready()

    process.readiness.add(f"relay {pool}", is_fit)
    limit_s = process.settings.watchdog.poll_age_s
    process.watchdog.add(f"relay {pool}", lambda: relay.problem(limit_s))
    process.life.spawn(f"relay {pool}", relay.run(), ask=relay.stop)


def open_router(process: Process, state: State, desk: Desk) -> None:
    """Serve a pool's inquiries, deliveries, timers and waiting cases from now on."""
    pool, store, metrics = desk.actor.pool, state.store, process.metrics
    consumer = _inquiries_consumer(process, state, desk)
    shares = _shares(process, consumer)
    matcher = Matcher(desk.actor, store, desk.tail, policies=desk.policies, metrics=metrics, shares=shares)
    timers = Timers(desk.actor, store, desk.tail, policies=desk.policies, clock=process.clock, metrics=metrics)
    sweep_s = process.settings.router.sweep_s
    sweep = Sweep(
        pool,
        store,
        desk.tail,
        rebuilds=store.rebuilds,
        policies=desk.policies,
        clock=process.clock,
        metrics=metrics,
        every_s=sweep_s,
    )
    gauges = Gauges(pool, store, desk.tail, clock=process.clock, metrics=process.pool_metrics)
    census = _census(process, state, desk)
    replanner = Replanner(
        desk.actor, store, store, policies=desk.policies, clock=process.clock, metrics=process.metrics
    )
    census.is_ours = replanner.is_ours = shares.has_first
    loops = {"matcher": matcher.run, "timers": timers.run, "sweep": sweep.run, "gauges": gauges.run}
    loops["census"] = census.run
    loops["replanner"] = replanner.run
    loops["pressure"] = Barometer(pool, store, clock=process.clock, metrics=process.pool_metrics.pressure).run
    for title, run in loops.items():
        process.life.spawn(f"{title} {pool}", ride_out(run, f"{title} {pool}", clock=process.clock))
    _consume_deliveries(process, state, desk)
    _run_consumer(process, f"inquiries {pool}", consumer)


def _census(process: Process, state: State, desk: Desk) -> Census:
    pool, metrics = desk.actor.pool, process.pool_metrics
    invariants = Invariants(pool, state.store, desk.tail, metrics.invariants)
    roster = desk.tail.roster
    return Census(pool, state.store, invariants, roster=roster, clock=process.clock, metrics=metrics.queues)


def _shares(process: Process, consumer: Consumer) -> Shares:
    """The work of a pool goes by its input partitions; alone there is nobody to share it with."""
    if process.settings.mode is Mode.STANDALONE:
        return WholeShare()
    return Shares(
        lambda: frozenset(partition.number for partition in consumer.partitions),
        of=process.settings.bus.inquiry_partitions,
    )


def _inquiries_consumer(process: Process, state: State, desk: Desk) -> Consumer:
    pool, metrics = desk.actor.pool, process.metrics
    intake = Intake(desk.actor, desk.tail, policies=desk.policies, progress=desk.progress, metrics=metrics)
    given = _input(process, state, pool, intake.handle)
    lanes, held = process.settings.router.lanes, process.settings.router.lanes * process.settings.router.lane_depth
    limits = Limits(lanes=lanes, max_in_flight=held, resume_at=held // 2)
    topics = [inquiries(pool)]
    consumer = Consumer(state.bus, f"router.{pool}", topics, handle=given.handle, hooks=given, limits=limits)
    consumer.keep(given)
    return consumer


def _consume_deliveries(process: Process, state: State, desk: Desk) -> None:
    pool = desk.actor.pool
    deliveries = Deliveries(desk.actor, policies=desk.policies, progress=desk.progress)

    async def apply(record: Record, _: Fence) -> Awaitable[None] | None:
        return await deliveries.handle(record)  # repeating it changes nothing, whoever does

    given = _input(process, state, pool, apply)
    consumer = Consumer(state.bus, f"deliveries.{pool}", [DELIVERIES], handle=given.handle, hooks=given)
    consumer.keep(given)
    _run_consumer(process, f"deliveries {pool}", consumer)


def _input(process: Process, state: State, pool: PoolId, handle: FencedHandler) -> Input:
    settings = process.settings.router
    return Input(
        handle,
        marks_in(state.store, pool, most=settings.max_attempts, turns=process.turns),
        dead_letters=DeadLetters(state.bus, process.metrics),
        held=Held(state.bus) if settings.hold_conversation else None,
        metrics=process.metrics,
    )


def _run_consumer(process: Process, name: str, consumer: Consumer) -> None:
    async def is_polling() -> str | None:
        if consumer.polled_at is None:
            return "has not joined its group yet"
        if process.settings.mode is Mode.STANDALONE and not consumer.owned:
            return "waits for its partitions"
        age_s = time.monotonic() - consumer.polled_at
        return f"has not polled for {age_s:.0f} s" if age_s > _POLL_AGE_S else None

    process.readiness.add(name, is_polling)
    consumer.report_to(process.watchdog.consumer(name))
    process.life.spawn(name, consumer.run(), ask=consumer.stop)
