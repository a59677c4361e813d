"""``make faults``: the matrix of faults and seeds, with a table at the end and ``build/faults.json``."""

import argparse
import asyncio
import json
import logging
import re
import shutil
import sys
import tempfile
from collections import Counter, deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from tests.faults.killing import Death, kill
from tests.faults.mutants import HARMLESS, MUTANTS
from tests.suites.faults.plant import Plant, plant
from tests.suites.faults.scenes import Fault, Report, play
from tests.suites.faults.strikes import FAULTS

RESULTS: Final = Path("build/faults.json")


class Matrix:
    """Faults and seeds that are left to be run, until the time is over."""

    def __init__(self, folder: Path, asked: argparse.Namespace) -> None:
        self.reports: list[Report] = []
        self._folder = folder
        self._asked = asked
        self._ends: float = asyncio.get_running_loop().time() + asked.seconds

    async def run(self, faults: Sequence[Fault]) -> None:
        """On one plant those that have as many brokers; on a fresh one after a violation, for what is broken stays
        broken in what follows."""
        seeds = range(self._asked.seed, self._asked.seed + self._asked.seeds)
        for brokers in sorted({fault.brokers for fault in faults}):
            left = deque((seed, fault) for seed in seeds for fault in faults if fault.brokers == brokers)
            while left and not self._is_over():
                home = self._folder / f"plant-{brokers}-{len(left)}"
                home.mkdir()
                async with plant(home, mutant=self._asked.mutant, brokers=brokers) as place:
                    await self._play(place, left)

    async def _play(self, place: Plant, left: deque[tuple[int, Fault]]) -> None:
        while left and not self._is_over():
            seed, fault = left.popleft()
            self.reports.append(await play(place, fault, seed))
            print(_line(self.reports[-1]), flush=True)  # noqa: T201
            if self.reports[-1].violations:
                return

    def _is_over(self) -> bool:
        return asyncio.get_running_loop().time() > self._ends


async def run(faults: Sequence[Fault], folder: Path, asked: argparse.Namespace) -> list[Report]:
    """Every fault with every seed."""
    matrix = Matrix(folder, asked)
    await matrix.run(faults)
    return matrix.reports


def _line(report: Report) -> str:
    result = "ok" if not report.violations else f"{len(report.violations)} VIOLATIONS"
    bites = ", ".join(f"{name} {times}" for name, times in sorted(report.bites.items()))
    lines = [f"{report.fault:40} seed {report.seed:3} {report.seconds:6.1f} s {report.inquiries:4} inquiries  {result}"]
    lines += [f"    bites: {bites}", *(f"    {violation}" for violation in report.violations[:12])]
    return "\n".join(lines)


def summary(reports: list[Report]) -> dict[str, Any]:
    """What ``build/faults.json`` holds."""
    by_fault: dict[str, dict[str, int]] = {}
    for report in reports:
        row = by_fault.setdefault(report.fault, {"runs": 0, "inquiries": 0, "violations": 0})
        row["runs"] += 1
        row["inquiries"] += report.inquiries
        row["violations"] += len(report.violations)
    total = Counter[str]()
    for row in by_fault.values():
        total.update(row)
    return {
        "runs": total["runs"],
        "inquiries": total["inquiries"],
        "faults": len(by_fault),
        "violations": total["violations"],
        "by_fault": by_fault,
    }


def table(found: dict[str, Any]) -> str:
    """The same for people."""
    lines = [f"{'fault':44} {'runs':>5} {'inquiries':>10} {'violations':>11}"]
    for name, row in found["by_fault"].items():
        lines.append(f"{name:44} {row['runs']:5} {row['inquiries']:10} {row['violations']:11}")
    total = f"{found['faults']} faults"
    lines.append(f"{total:44} {found['runs']:5} {found['inquiries']:10} {found['violations']:11}")
    return "\n".join(lines)


async def run_mutants(pattern: str, seeds: int) -> list[Death]:
    """Every mutant that the pattern finds; those that break nothing have to live, the others have to die."""
    deaths = []
    for name in MUTANTS:
        if re.search(pattern, name):
            deaths.append(await kill(name, seeds=seeds))
            print(deaths[-1].row, flush=True)  # noqa: T201
    return deaths


def main() -> int:
    parser = argparse.ArgumentParser(prog="make faults")
    parser.add_argument("--only", default="", help="faults whose names this pattern finds")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=7200)
    parser.add_argument("--mutant", default="", help="run the matrix on a product with this broken")
    parser.add_argument("--mutants", default=None, help="instead of the matrix: the mutants that this pattern finds")
    asked = parser.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it says each time what we do to it
    if asked.mutants is not None:
        deaths = asyncio.run(run_mutants(asked.mutants, asked.seeds))
        return 1 if any((not death.fault) != (death.mutant in HARMLESS) for death in deaths) else 0
    faults = [fault for fault in FAULTS if re.search(asked.only, fault.name)]
    folder = Path(tempfile.mkdtemp(prefix="turnout-faults-"))
    found = summary(asyncio.run(run(faults, folder, asked)))
    if found["violations"]:
        print(f"what the processes said is in {folder}")  # noqa: T201
    else:
        shutil.rmtree(folder)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(msgspec.to_builtins(found), indent=1), "utf-8")
    print(f"{table(found)}\nall of it is in {RESULTS}")  # noqa: T201
    return 1 if found["violations"] or not found["runs"] else 0


if __name__ == "__main__":
    sys.exit(main())
