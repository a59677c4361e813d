"""Driving what is bounded over its limit. Each drive shows its registry twice: full to the brim, and with one more."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, cast

import pytest
from msgspec.structs import replace
from prometheus_client import CollectorRegistry, Counter

from router.api.metrics import ApiMetrics
from router.api.sessions.session import Session
from router.contract.advisor import AdvisorState, Presence, Work, WorkKind
from router.contract.config import Role
from router.contract.ids import AdvisorId, PoolId
from router.contract.topics import topic_specs
from router.runtime.bus.consuming import Limits
from router.runtime.bus.counting import CountingBus
from router.runtime.bus.lanes import Consumer
from router.runtime.bus.memory import MemoryBus
from router.runtime.bus.protocol import Outgoing
from router.runtime.clock import ManualClock
from router.runtime.metrics import RuntimeMetrics
from router.runtime.redis import Coalescer, connect
from router.runtime.token_bucket import Limiter, Rate
from router.service.configuration.policies import KEPT, Policies
from router.service.errors import IntakeHeldBack
from router.service.latest import Latest
from router.service.measuring.case_metrics import MAX_NAMES, CaseMetrics
from router.service.measuring.invariants import InvariantMetrics, Invariants
from router.service.measuring.metrics import ServiceMetrics
from router.service.roster import RosterTail
from router.store.memory import MemoryStore
from rules import Rulebook
from tests.suites.api_bench import ApiBench
from tests.suites.bus_checks import NoHooks
from tests.suites.eventually import eventually
from tests.suites.stage import POOL, RULES, rulebook, stage

Steps = AsyncIterator[CollectorRegistry]
Drive = Callable[[pytest.MonkeyPatch, Path], Steps]


async def records_in_flight(_: pytest.MonkeyPatch, __: Path) -> Steps:
    registry, topic, go_on = CollectorRegistry(), "turnout.inquiries.v1.p", asyncio.Event()
    bus = CountingBus(MemoryBus(), RuntimeMetrics(registry, version="", mode=""))
    await bus.create_topics(topic_specs((PoolId("p"),), inquiry_partitions=1, partitions=1))

    async def hold(_: object) -> None:
        await go_on.wait()

    limits = Limits(lanes=1, max_in_flight=2, resume_at=1)
    consumer = Consumer(bus, "g", [topic], handle=hold, hooks=NoHooks(), limits=limits)
    running = asyncio.create_task(consumer.run())
    for number in (1, 2):
        await bus.publish([Outgoing(topic=topic, key=str(number), value=b"{}")])
        await eventually(lambda: consumer.in_flight == number)  # noqa: B023 (awaited at once)
        yield registry
    go_on.set()
    consumer.stop(deadline_s=1)
    await running


async def calls_to_the_store(_: pytest.MonkeyPatch, folder: Path) -> Steps:
    registry = CollectorRegistry()
    metrics = RuntimeMetrics(registry, version="", mode="")
    client = connect(f"unix://{folder}/no-server", metrics=metrics)
    coalescer = Coalescer(client, max_waiting=2)
    calls = [asyncio.create_task(coalescer.call("PING")) for _ in range(3)]
    yield registry  # none has begun
    # All three ask before the first two are sent.
    await asyncio.sleep(0)
    yield registry
    await asyncio.gather(*calls, return_exceptions=True)
    await client.close()


async def keys_of_a_limiter(_: pytest.MonkeyPatch, __: Path) -> Steps:
    registry = CollectorRegistry()
    forgotten = Counter("forgotten", "As each channel has one.", registry=registry)
    limiter: Limiter[int] = Limiter(Rate(1, 2), max_keys=2, on_forgotten=forgotten.inc)
    for keys in ((1, 2), (3,)):
        for key in keys:
            limiter.take(key, now_s=0)
        yield registry


async def cases_remembered(_: pytest.MonkeyPatch, __: Path) -> Steps:
    async with stage() as scene:
        first, second = [(await scene.write(name)).case for name in ("c1", "c2")]
        assert first is not None
        assert second is not None
        metrics = ServiceMetrics(registry := CollectorRegistry())
        latest = Latest(limit=1, forgotten=metrics.limits.labels("cases").inc)
        for state in (first, second):
            latest.see(state)
            yield registry


async def rulebooks_known(_: pytest.MonkeyPatch, __: Path) -> Steps:
    metrics = ServiceMetrics(registry := CollectorRegistry())
    policies = Policies(_rulebook(0), forgotten=metrics.limits.labels("rulebooks").inc)
    for number in range(1, KEPT):
        policies.add(_rulebook(number))
    yield registry
    policies.add(_rulebook(KEPT))
    yield registry


def _rulebook(number: int) -> Rulebook:
    return replace(rulebook(), hash=str(number))


async def wait_classes(_: pytest.MonkeyPatch, __: Path) -> Steps:
    async with stage() as scene:
        await scene.hire("mina", budget=10)
        await scene.write("c1")
        await scene.write("c2")
        scene.store._pools[POOL].max_classes = 1
        yield scene.registry
        await scene.decline("c1")  # it is to wait without her, in a class of its own
        yield scene.registry


async def entries_of_the_outbox(_: pytest.MonkeyPatch, __: Path) -> Steps:
    async with stage() as scene:
        pool = scene.store._pools[POOL]
        pool.outbox_mark = pool.number - pool.trimmed + 1
        await scene.write("c1")
        yield scene.registry
        with contextlib.suppress(IntakeHeldBack):
            await scene.write("c2")
        yield scene.registry


async def suspects(monkeypatch: pytest.MonkeyPatch, _: Path) -> Steps:
    monkeypatch.setattr("router.service.measuring.invariants._MAX_SUSPECTS", 2)
    store, registry = MemoryStore(lambda: 0), CollectorRegistry()
    invariants = Invariants(POOL, store, RosterTail(POOL, store), InvariantMetrics(registry))
    works: dict[str, Work] = {}
    for ver in range(1, 5):
        works |= {f"c{ver}": Work(kind=WorkKind.CASE, units=20, channel="email")}
        state = AdvisorState(id=AdvisorId("mina"), ver=ver, budget=10, presence=Presence.ONLINE, work=dict(works))
        invariants._told(state)  # the first look has nothing to compare with
        if ver >= 3:
            yield registry


async def names_of_policies(_: pytest.MonkeyPatch, __: Path) -> Steps:
    cases = CaseMetrics(registry := CollectorRegistry())
    many = "".join(f"  p{n:03}: {{first_response_s: 60, resolution_s: 60}}\n" for n in range(MAX_NAMES + 1))
    cases.adopt(rulebook(RULES.replace("policies:\n", "policies:\n" + many)))
    for policy in ("p000", f"p{MAX_NAMES:03}"):
        cases.target(policy, "first_response", met=True)
        yield registry


# -- the API


async def hints_to_a_session(monkeypatch: pytest.MonkeyPatch, _: Path) -> Steps:
    monkeypatch.setattr("router.api.sessions.session.MAX_HINTS", 2)
    metrics, unused = ApiMetrics(registry := CollectorRegistry()), cast("Any", SimpleNamespace(key=None, desk=None))
    kit = cast("Any", SimpleNamespace(metrics=metrics, clock=ManualClock()))
    session = Session(unused, unused, AdvisorId("mina"), kit)
    for ver in (1, 2, 3):  # it never comes to tell them
        session.changed(AdvisorState(id=AdvisorId("mina"), ver=ver, budget=10, presence=Presence.ONLINE))
        if ver > 1:
            yield registry


async def sessions_of_an_advisor(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Steps:
    monkeypatch.setattr("router.api.sessions.sockets.MAX_SESSIONS", 1)
    async with _api(folder) as bench:
        token = await bench.advisor("minji")
        async with bench.session(token):
            yield bench.registry
            async with bench.http.ws_connect(bench.url("/v1/session")) as second:
                await second.send_json({"type": "hello", "key": token})
                await second.receive(timeout=10)
            yield bench.registry


async def answers_that_wait(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Steps:
    monkeypatch.setattr("router.api.sessions.session.MAX_UNCONFIRMED", 1)
    async with _api(folder, relays=False) as bench, bench.session(await bench.advisor("minji")) as talk:
        await talk.say("presence", op="a", presence="online")
        yield bench.registry
        await talk.say("presence", op="b", presence="away")
        yield bench.registry
        bench.relay()  # else the session waits for both to be confirmed before it sees its end


async def operations_remembered(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Steps:
    monkeypatch.setattr("router.api.acts.operations._REMEMBERED", 1)
    async with _api(folder) as bench:
        lead, case = bench.key(Role.SUPERVISOR), await bench.write()
        for op in ("a", "b"):
            await bench.post(f"/v1/cases/{case}/note", lead, {"text": "x"}, op=op)
            yield bench.registry


@contextlib.asynccontextmanager
async def _api(folder: Path, *, relays: bool = True) -> AsyncIterator[ApiBench]:
    bench = ApiBench(folder)
    await bench.open(relays=relays)
    yield bench
    await bench.close()


DRIVES: Final[dict[str, Drive]] = {
    "turnout_consumer_pauses_total/turnout.inquiries.v1.p/g": records_in_flight,
    "turnout_store_errors_total/unavailable": calls_to_the_store,
    "forgotten_total/": keys_of_a_limiter,
    "turnout_limits_reached_total/cases": cases_remembered,
    "turnout_limits_reached_total/rulebooks": rulebooks_known,
    "turnout_limits_reached_total/wait_classes": wait_classes,
    "turnout_acts_total/admit/full": entries_of_the_outbox,
    "turnout_invariant_suspects_dropped_total/": suspects,
    "turnout_sla_targets_total/other/first_response/met": names_of_policies,
    "turnout_api_pushes_dropped_total/": hints_to_a_session,
    "turnout_api_limits_reached_total/sessions": sessions_of_an_advisor,
    "turnout_api_limits_reached_total/answers": answers_that_wait,
    "turnout_api_limits_reached_total/operations": operations_remembered,
}
"""By the series that counts it: its name and its labels' values."""
