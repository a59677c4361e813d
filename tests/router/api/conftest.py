from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.suites.api_bench import ApiBench


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[ApiBench]:
    bench = ApiBench(tmp_path)
    await bench.open()
    yield bench
    await bench.close()
