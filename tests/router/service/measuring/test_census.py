"""The census: queues are counted by one router for all, and broken promises are found in the roster."""

import json

import pytest
from msgspec.structs import replace
from prometheus_client import CollectorRegistry

from router.contract.advisor import AdvisorState, Presence, Work, WorkKind
from router.contract.ids import AdvisorId, CaseId
from router.engine.exclusions import Wish
from router.engine.roster import Roster
from router.engine.waiting import WaitClass
from router.service.measuring.case_metrics import MAX_NAMES, OTHER
from router.service.measuring.census import Census
from router.service.measuring.invariants import InvariantMetrics, Invariants
from router.service.measuring.queue_metrics import QueueMetrics
from router.store.protocol import LineSize
from tests.suites.metrics import all_at_zero, shown
from tests.suites.stage import POOL, RULES, Stage, rulebook, stage

DEPTH = "turnout_queue_depth"
BREACH = "turnout_queue_next_breach_timestamp_seconds"
AGE = "turnout_queue_oldest_age_seconds"
EXCLUDED = "turnout_queue_excluded_cases"
BROKEN = "turnout_invariant_broken_total"


class Counted:
    """A census of a stage, with a registry of its own."""

    def __init__(self, scene: Stage) -> None:
        self.registry = CollectorRegistry()
        self.queues = QueueMetrics(self.registry, (POOL,))
        self.queues.adopt(scene.policies.active)
        self.invariants = Invariants(POOL, scene.store, scene.tail, InvariantMetrics(self.registry))
        self.census = Census(
            POOL, scene.store, self.invariants, roster=scene.tail.roster, clock=scene.clock, metrics=self.queues
        )

    async def look(self) -> dict[str, dict[str, float]]:
        await self.census.look()
        return {name: shown(self.registry, name) for name in (DEPTH, AGE)}

    async def broken(self) -> dict[str, float]:
        await self.census.look()
        return shown(self.registry, BROKEN)


async def test_depth_and_age_are_by_queue_and_priority() -> None:
    async with stage() as scene:
        counted = Counted(scene)
        await scene.write("c1", "my invoice")
        await scene.clock.advance_ms(2_000)
        await scene.write("c2", "my invoice, in another language", labels=("urgent",))
        await scene.write("c3", "my invoice")
        await scene.clock.advance_ms(5_000)
        await scene.write("c4")
        assert await counted.look() == {
            DEPTH: {"default/billing/3": 2, "default/billing/1": 1, "default/general/3": 1},
            AGE: {"default/billing/3": 7, "default/billing/1": 5},
        }


async def test_the_next_breach_is_that_of_the_most_urgent_case_of_a_queue() -> None:
    async with stage(rulebook(RULES.replace("general: {", "general: {order: fifo, "))) as scene:
        counted = Counted(scene)
        await scene.write("c1", "my invoice")
        opened_s = scene.clock.now_ms() / 1000
        await scene.clock.advance_ms(2_000)
        await scene.write("c2", "my invoice", labels=("urgent",))
        await scene.write("c3")  # waits by its age: no clock says when it is due
        await counted.look()
        assert shown(counted.registry, BREACH) == {"default/billing": opened_s + 3_600}
        await scene.hire("mina", skills={"billing": 9}, budget=100)
        await counted.look()
        assert shown(counted.registry, BREACH) == {}


async def test_who_waits_only_because_of_an_exclusion_is_counted() -> None:
    async with stage() as scene:
        counted = Counted(scene)
        await scene.hire("mina", skills={"billing": 9}, budget=10)
        await scene.write("c1", "my invoice")
        await scene.write("c2", "my invoice")  # waits for room only
        wish = replace(scene.request(), wish=Wish(advisors=("mina",)))
        await scene.casework.excluding.change(CaseId("c1"), wish)
        await scene.settle()
        await counted.look()
        assert shown(counted.registry, EXCLUDED) == {"default/billing": 1}
        await scene.hire("jun", skills={"billing": 9}, budget=0)  # without room: he could have it all the same
        await counted.look()
        assert shown(counted.registry, EXCLUDED) == {}
        await scene.presence("jun", Presence.AWAY)
        await scene.caught_up()
        await counted.look()
        assert shown(counted.registry, EXCLUDED) == {"default/billing": 1}
        await scene.presence("mina", Presence.AWAY)  # now the exclusion is not all
        await scene.caught_up()
        await counted.look()
        assert shown(counted.registry, EXCLUDED) == {}


async def test_what_waits_no_longer_is_at_zero_again() -> None:
    async with stage() as scene:
        counted = Counted(scene)
        await scene.write("c1")
        assert (await counted.look())[DEPTH] == {"default/general/3": 1}
        await scene.hire("mina")
        assert await counted.look() == {DEPTH: {}, AGE: {}}


async def test_only_the_router_whose_turn_it_is_counts() -> None:
    async with stage() as scene:
        counted = Counted(scene)
        await scene.write("c1")
        assert (await counted.look())[DEPTH] != {}
        counted.census.is_ours = lambda: False
        assert await counted.look() == {DEPTH: {}, AGE: {}}


async def test_a_queue_that_is_gone_is_counted_as_other_and_its_series_go() -> None:
    async with stage() as scene:
        counted = Counted(scene)
        await scene.write("c1", "my invoice")
        await counted.look()
        text = RULES.replace("  billing: {policy: standard, ladder: standard, offer_s: 30}\n", "")
        counted.queues.adopt(rulebook(text.replace("queue: billing, ", "")))
        assert (await counted.look())[DEPTH] == {"default/other/3": 1}
        queues = {s.labels["queue"] for f in counted.registry.collect() for s in f.samples if s.name == DEPTH}
        assert queues == {"general", "direct", OTHER}


def test_queues_are_bounded_and_strange_classes_have_a_place() -> None:
    registry = CollectorRegistry()
    metrics = QueueMetrics(registry, (POOL,))
    many = "".join(f"  q{n}: {{policy: standard}}\n" for n in range(MAX_NAMES + 50))
    metrics.adopt(rulebook(RULES.replace("queues:\n", "queues:\n" + many)))
    assert all_at_zero(registry)[DEPTH] == (MAX_NAMES + 1) * 5
    waiting = WaitClass("gone", "chat", 1, (), "", (), 9, "p", "age", (), "")
    keys = (waiting.key, json.dumps({"new": 1}))
    lines = [LineSize(class_key=key, length=2, case=CaseId("c"), score=0, opened_at_ms=5_000) for key in keys]
    metrics.show(POOL, lines, 8_000, roster=Roster())
    assert (shown(registry, DEPTH), shown(registry, AGE)) == ({"default/other/5": 4}, {"default/other/5": 3})


async def test_ordinary_work_breaks_nothing() -> None:
    async with stage() as scene:
        counted = Counted(scene)
        await scene.hire("mina")
        await scene.hire("jun")
        for number in range(8):
            await scene.write(f"c{number}")
        await scene.accept("c0")
        await scene.caught_up()
        for _ in range(3):
            assert await counted.broken() == {}


async def test_above_capacity_with_leave_is_no_fault() -> None:
    async with stage() as scene:
        counted = Counted(scene)
        await scene.hire("mina", budget=10)
        await scene.write("c1")
        await scene.accept("c1")
        await scene.write("c2")
        await scene.casework.assign(CaseId("c2"), scene.request(), to=AdvisorId("mina"), over=True)
        await scene.caught_up()
        assert await counted.broken() == {}


async def test_a_budget_lowered_under_what_he_has_is_no_fault() -> None:
    async with stage() as scene:
        counted = Counted(scene)
        await scene.hire("mina")
        for number in range(3):
            await scene.write(f"c{number}")
        await scene.hire("mina", budget=10)
        await scene.caught_up()
        assert await scene.load("mina") == 30
        assert await counted.broken() == {}


def step(state: AdvisorState, cases: str, kind: WorkKind = WorkKind.CASE) -> AdvisorState:
    """The advisor's next state, as a store that has gone wrong would tell it."""
    work = {name: Work(units=10, channel="email", kind=kind) for name in cases.split()}
    return replace(state, ver=state.ver + 1, presence=Presence.ONLINE, work=work)


@pytest.mark.parametrize(("over", "found"), [(False, {"over_capacity": 1.0}), (True, {})])
async def test_who_is_above_capacity_without_leave_is_counted_once(over: bool, found: dict[str, float]) -> None:
    async with stage() as scene:
        counted = Counted(scene)
        await scene.hire("mina", budget=10)
        await scene.write("c1")
        await scene.accept("c1")
        scene.store._pools[POOL].cases[CaseId("c1")].over = over
        state = scene.tail.roster.get(AdvisorId("mina"))
        assert state is not None
        for told in scene.tail._told:
            told(step(state.state, ""))
            told(step(step(state.state, ""), "elsewhere c1"))
        for _ in range(2):
            assert await counted.broken() == found


async def test_a_case_with_two_owners_is_counted_once_and_only_if_it_stays() -> None:
    async with stage() as scene:
        counted = Counted(scene)
        for name in ("mina", "jun"):
            await scene.hire(name)
        mina, jun = (member.state for member in scene.tail.roster)
        scene.tail.roster.apply(step(mina, "c1 c2"))
        scene.tail.roster.apply(step(jun, "c1 c2"))
        assert await counted.broken() == {}
        scene.tail.roster.apply(step(step(jun, "c1 c2"), "c1"))
        for _ in range(3):
            assert await counted.broken() == {"two_owners": 1}


async def test_who_is_consulted_or_offered_is_no_owner() -> None:
    async with stage() as scene:
        counted = Counted(scene)
        for name in ("mina", "jun"):
            await scene.hire(name)
        mina, jun = (member.state for member in scene.tail.roster)
        scene.tail.roster.apply(step(mina, "c1"))
        scene.tail.roster.apply(step(jun, "c1", WorkKind.CONSULT))
        for _ in range(2):
            assert await counted.broken() == {}
