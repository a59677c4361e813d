"""What is bounded is counted when its limit is reached, and not before."""

from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from tests.suites.eventually import eventually
from tests.suites.limits import DRIVES
from tests.suites.metrics import shown


def value(registry: CollectorRegistry, series: str) -> float:
    name, _, labels = series.partition("/")
    return shown(registry, name).get(labels, 0)


@pytest.mark.parametrize("series", DRIVES)
async def test_a_limit_counts_what_goes_beyond_it(series: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    counted: list[float] = []
    async for registry in DRIVES[series](monkeypatch, tmp_path):
        if counted:
            await eventually(lambda: value(registry, series) > 0, within_s=10)  # noqa: B023 (awaited at once)
        counted.append(value(registry, series))
    assert counted == [0, 1]
