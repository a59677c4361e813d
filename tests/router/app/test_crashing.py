"""A store that crashes around acts: the act took effect or it didn't, as the point says."""

from collections.abc import AsyncIterator, Callable

import pytest

from router.app.crashing import CrashingStore
from router.contract.advisor import Presence
from router.contract.ids import AdvisorId, PoolId
from router.runtime.crash_points import CrashPoints
from router.runtime.redis import Purpose, RedisClient, connect
from router.store.acts import AnyAct, PresenceAct, ProfileAct
from tests.servers import Server

POOL = PoolId("p")
PROFILE = ProfileAct(pool=POOL, gen=1, now_ms=1, advisor=AdvisorId("a"), budget=100, profile="{}")
ONLINE = PresenceAct(pool=POOL, gen=1, now_ms=1, advisor=AdvisorId("a"), presence=Presence.ONLINE)

Make = Callable[..., CrashingStore]


class Ended(BaseException):
    """What ending the process is here."""


def end() -> None:
    raise Ended


@pytest.fixture
async def make(valkey: Server) -> AsyncIterator[Make]:
    clients: list[RedisClient] = []

    def made(*plan: str) -> CrashingStore:
        clients.extend((connect(valkey.url), connect(valkey.url, purpose=Purpose.BLOCKING)))
        return CrashingStore(clients[-2], clients[-1], points=CrashPoints(plan, end=end))

    yield made
    for client in clients:
        await client.close()


async def presence(store: CrashingStore) -> str:
    advisor = await store.advisor(POOL, AdvisorId("a"))
    return str(advisor.presence) if advisor else "absent"


@pytest.mark.parametrize(
    ("plan", "acts", "left"),
    [
        ("before-act", (PROFILE,), "absent"),
        ("after-act", (PROFILE,), "offline"),
        ("after-act@2", (PROFILE, ONLINE), "online"),
        ("before-act@2", (PROFILE, ONLINE), "offline"),
    ],
)
async def test_what_an_act_left_behind(make: Make, plan: str, acts: tuple[AnyAct, ...], left: str) -> None:
    store = make(plan)
    await store.open()
    await store.open_pool(POOL)
    *before, last = acts
    for act in before:
        await store.apply((act,))
    with pytest.raises(Ended):
        await store.apply((last,))
    assert await presence(make()) == left


async def test_without_a_plan_nothing_ends(make: Make) -> None:
    store = make()
    await store.open()
    await store.open_pool(POOL)
    await store.apply((PROFILE, ONLINE))
    epoch = await store.take(POOL)
    assert await store.trim(POOL, epoch, 2)
    assert await presence(store) == "online"


async def test_the_cursor_has_moved_when_it_ends_behind_it(make: Make) -> None:
    store = make("after-cursor")
    await store.open()
    await store.open_pool(POOL)
    await store.apply((PROFILE, ONLINE))
    epoch = await store.take(POOL)
    with pytest.raises(Ended):
        await store.trim(POOL, epoch, 2)
    assert (await store.status(POOL)).trimmed == 2
