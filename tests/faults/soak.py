"""``make soak``: an hour of steady traffic with mild faults, and what grows meanwhile, to ``build/soak.json``."""

import argparse
import asyncio
import json
import logging
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from tests.suites.faults.plant import plant
from tests.suites.faults.slopes import Measure, Slope
from tests.suites.faults.soak import Soaked, soak

RESULTS: Final = Path("build/soak.json")
_MEGABYTE: Final = 1024 * 1024


async def run(folder: Path, *, seconds: float, seed: int) -> Soaked:
    """A soak on a plant of its own, whose caches are full soon."""
    async with plant(folder, mutant="small-caches") as place:
        return await soak(place, seconds=seconds, seed=seed)


def summary(soaked: Soaked) -> dict[str, Any]:
    """What ``build/soak.json`` holds."""
    series = [
        {
            "measure": slope.measure.value,
            "of": slope.of,
            "points": slope.points,
            "first": slope.first,
            "median": slope.median,
            "last": slope.last,
            "most": slope.most,
            "slope_per_hour": slope.per_hour,
            "growth": slope.growth,
            "allowed": slope.allowed,
            "verdict": _verdict(slope),
        }
        for slope in soaked.slopes
    ]
    return {
        "seconds": soaked.seconds,
        "inquiries": soaked.inquiries,
        "faults": soaked.faults,
        "violations": [str(violation) for violation in soaked.violations],
        "verdict": "fine" if soaked.is_fine else "broken",
        "series": series,
    }


def _verdict(slope: Slope) -> str:
    if not slope.judged:
        return "too short"
    return "fine" if slope.is_fine else "grows"


def table(soaked: Soaked) -> str:
    """For people: memory in megabytes."""
    lines = [f"{'measure':12} {'of':18} {'first':>9} {'median':>9} {'last':>9} {'an hour':>9} {'verdict':>10}"]
    for slope in soaked.slopes:
        unit = _MEGABYTE if slope.measure is Measure.MEMORY else 1
        figures = (slope.first, slope.median, slope.last, slope.per_hour)
        told = " ".join(f"{value / unit:9.1f}" for value in figures)
        lines.append(f"{slope.measure.partition('_')[0]:12} {slope.of:18} {told} {_verdict(slope):>10}")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(prog="make soak")
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it says each time what we do to it
    folder = Path(tempfile.mkdtemp(prefix="turnout-soak-"))
    soaked = asyncio.run(run(folder, seconds=asked.seconds, seed=asked.seed))
    found = summary(soaked)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(found, indent=1), "utf-8")
    print(table(soaked))  # noqa: T201
    for violation in found["violations"][:20]:
        print(violation)  # noqa: T201
    if soaked.is_fine:
        shutil.rmtree(folder)
    else:
        print(f"what the processes said is in {folder}")  # noqa: T201
    print(f"{soaked.seconds:.0f} s, {soaked.inquiries} inquiries, {sum(soaked.faults.values())} faults: {RESULTS}")  # noqa: T201
    return 0 if soaked.is_fine else 1


if __name__ == "__main__":
    sys.exit(main())
