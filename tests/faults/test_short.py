"""A few faults of the matrix with a fixed seed, on one running plant: ``make faults`` in short."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from msgspec.structs import replace

from tests.faults.__main__ import summary, table
from tests.suites.faults.plant import Plant, plant
from tests.suites.faults.scenes import Report, play
from tests.suites.faults.strikes import BY_NAME

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(240)]

SEED = 1
SHORT = (
    "lose the store's replies",
    "kill a router",
    "crash before-commit",
    "cut bus",
    "store's disk full",
    "clock two hours behind",
    "accepted in two tabs",
    "a relay gets stuck",
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Plant]:
    async with plant(tmp_path_factory.mktemp("plant")) as running:
        yield running


@pytest.mark.parametrize("name", SHORT)
async def test_no_promise_breaks_under_a_fault(place: Plant, name: str) -> None:
    report = await play(place, replace(BY_NAME[name], conversations=20), SEED)
    assert [str(violation) for violation in report.violations] == []
    assert report.inquiries >= 20


async def test_the_summary_counts_by_fault() -> None:
    def report(fault: str, seed: int) -> Report:
        return Report(fault=fault, seed=seed, inquiries=10, seconds=1, bites={}, violations=())

    found = summary([report("a", 1), report("a", 2), report("b", 1)])
    assert (found["runs"], found["inquiries"], found["faults"], found["violations"]) == (3, 30, 2, 0)
    assert found["by_fault"]["a"] == {"runs": 2, "inquiries": 20, "violations": 0}
    assert set(found) == {"runs", "inquiries", "faults", "violations", "by_fault"}
    assert [line.split() for line in table(found).splitlines()[1:]] == [
        ["a", "2", "20", "0"],
        ["b", "1", "10", "0"],
        ["2", "faults", "3", "30", "0"],
    ]
