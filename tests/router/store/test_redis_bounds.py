"""What the server keeps besides the state stays bounded, and what the library keeps between calls is never wrong."""

from collections.abc import AsyncIterator
from typing import cast

import pytest

from router.contract.ids import AdvisorId, CaseId
from router.contract.plan import Plan
from router.runtime.redis import RedisClient
from router.store.acts import Assign, ProfileAct, Result
from router.store.keys import key
from tests.servers import Server
from tests.suites.store.bench import POOL, QUEUE, Desk
from tests.suites.store.benches import redis_desk

KEPT_CHANGES = 10_000
KEPT_BETWEEN_CALLS = 1_000


@pytest.fixture
async def desk(redis_server: Server) -> AsyncIterator[Desk]:
    async with redis_desk(redis_server.url) as desk:
        yield desk


async def test_streams_of_changes_and_calls_keep_only_what_is_new(desk: Desk, client: RedisClient) -> None:
    for start in range(0, KEPT_CHANGES + 500, 500):
        budgets = range(start + 1, start + 501)
        acts = [desk.act(ProfileAct, advisor=AdvisorId("ana"), budget=budget, profile="{}") for budget in budgets]
        await desk.store.apply(acts)
    changes = cast("int", await client.call("XLEN", key(POOL, "changes")))
    assert KEPT_CHANGES <= changes <= KEPT_CHANGES + 300
    assert cast("int", await client.call("XLEN", key(POOL, "calls"))) <= 64
    assert (await desk.person("ana")).budget == KEPT_CHANGES + 500


async def test_more_different_work_than_is_kept_between_calls_is_told_as_it_is(desk: Desk) -> None:
    names = [f"advisor{number}" for number in range(11)]
    for name in names:
        await desk.advisor(name, budget=10_000_000)
    expected: dict[str, dict[str, tuple[int, str]]] = {name: {} for name in names}
    for units in range(1, KEPT_BETWEEN_CALLS + 101):
        name, case, channel = names[units % len(names)], f"c{units}", f"of {units}"
        expected[name][case] = (units, channel)
        plan = Plan(ver=1, class_key=QUEUE, score=desk.now)
        admit = desk.admission(case, units=units, channel=channel)
        assign = desk.act(Assign, case=CaseId(case), advisor=AdvisorId(name), plan=plan)
        *_, outcome = await desk.store.apply([admit, assign])
        assert outcome.result is Result.ASSIGNED
    for name in names:
        work = (await desk.person(name)).work
        assert {case: (item.units, item.channel) for case, item in work.items()} == expected[name]
