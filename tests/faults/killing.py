"""Which mutant dies of which promise, under which fault: the proof that the harness would notice."""

import tempfile
from collections import Counter
from pathlib import Path

import msgspec

from tests.faults.mutants import MUTANTS
from tests.suites.faults.plant import plant
from tests.suites.faults.scenes import play
from tests.suites.faults.strikes import BY_NAME


class Death(msgspec.Struct, frozen=True, kw_only=True):
    """How a mutant ended; ``fault`` is empty for one that lived through all of its faults and seeds."""

    mutant: str
    fault: str = ""
    seed: int = 0
    promises: tuple[str, ...] = ()

    @property
    def row(self) -> str:
        """Of the table in the docs."""
        by = "; ".join(self.promises) if self.fault else "(lived)"
        return f"| `{self.mutant}` | {self.fault} | {self.seed or ''} | {by} |"


async def kill(name: str, *, seeds: int) -> Death:
    """Run a mutant under its faults until a promise breaks."""
    with tempfile.TemporaryDirectory(prefix="turnout-mutant-", ignore_cleanup_errors=True) as folder:
        async with plant(Path(folder), mutant=name) as place:
            for seed in range(1, seeds + 1):
                for fault in MUTANTS[name].faults:
                    report = await play(place, BY_NAME[fault], seed)
                    broken = Counter(str(violation.promise) for violation in report.violations)
                    if broken:
                        promises = tuple(name for name, _ in broken.most_common())
                        return Death(mutant=name, fault=fault, seed=seed, promises=promises)
    return Death(mutant=name)
