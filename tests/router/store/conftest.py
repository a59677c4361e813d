"""The stores under test: each suite runs on every one of them."""

import pytest

pytest.register_assert_rewrite("tests.suites")

from router.contract.ids import PoolId  # noqa: E402 - after the rewriting of the suites' assertions
from router.store.memory import MemoryStore  # noqa: E402
from tests.suites.store import START_MS, Bench, Desk, MakeBench  # noqa: E402


async def memory_bench(*, outbox_mark: int = 100_000, max_classes: int = 4_096) -> Bench:
    witness = [START_MS]
    store = MemoryStore(lambda: witness[0], outbox_mark=outbox_mark, max_classes=max_classes)

    async def set_witness(now_ms: int) -> None:
        witness[0] = now_ms

    async def set_format(pool: PoolId, number: int) -> None:
        store._pools[pool].format = number

    return Bench(store=store, set_witness=set_witness, set_format=set_format)


@pytest.fixture(params=["memory"])
def make_bench(request: pytest.FixtureRequest) -> MakeBench:
    """Makes stores of the kind under test."""
    return memory_bench


@pytest.fixture
async def desk(make_bench: MakeBench) -> Desk:
    """One open pool in a fresh store."""
    return await Desk(await make_bench()).open()
