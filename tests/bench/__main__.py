"""``python -m tests.bench [ONLY]``: run the benchmarks, print a table, write ``build/bench.json``."""

import argparse
import asyncio
import logging
import sys
import time
from pathlib import Path

import click
import msgspec

from router.app import fast_loop
from router.runtime.errors import EmbeddedServerError
from router.runtime.settings.model import BusKind
from tests.bench.catalog import BENCHES
from tests.bench.ground import QUICK, Ground, Scale, open_ground
from tests.bench.results import Finding, Sample, findings, skipped, table

_QUIET = ("aiokafka", "router", "redis")


def main(words: list[str] | None = None) -> int:
    """Run what was asked for; 0 unless a benchmark broke. An aim that is not met is no failure of the run."""
    given = _arguments(words)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    names = [given.only] if given.only else list(BENCHES)
    full = msgspec.structs.replace(Scale(), runs=given.runs, inquiries=given.inquiries, lives=given.lives)
    scale = QUICK if given.quick else full
    with asyncio.Runner(loop_factory=fast_loop()) as runner:
        found = runner.run(_run(names, BusKind(given.bus), scale, judging=not given.quick and given.bus == "kafka"))
    given.out.parent.mkdir(parents=True, exist_ok=True)
    rows = msgspec.json.encode([one.row for one in found])
    given.out.write_bytes(msgspec.json.format(rows, indent=2) + b"\n")
    click.echo(table(found))
    click.echo(f"written to {given.out}")
    return 0


def _arguments(words: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("only", nargs="?", choices=tuple(BENCHES), help="run this one")
    parser.add_argument("--quick", action="store_true", help="a smoke run: small, judged by no aim")
    parser.add_argument("--bus", choices=tuple(BusKind), default="kafka", help="aims are for kafka")
    parser.add_argument("--runs", type=int, default=Scale().runs, help="the middle one counts")
    parser.add_argument("--inquiries", type=int, default=Scale().inquiries, help="preloaded for line_throughput")
    parser.add_argument("--lives", type=int, default=Scale().lives, help="lived for life_throughput")
    parser.add_argument("--out", type=Path, default=Path("build/bench.json"))
    return parser.parse_args(words)


async def _run(names: list[str], kind: BusKind, scale: Scale, *, judging: bool) -> list[Finding]:
    try:
        async with open_ground(kind, scale) as ground:
            return [one for name in names for one in await _bench(name, ground, judging=judging)]
    except EmbeddedServerError as exc:
        return [skipped(name, BENCHES[name].unit, aim=BENCHES[name].aim, reason=str(exc)) for name in names]


async def _bench(name: str, ground: Ground, *, judging: bool) -> list[Finding]:
    bench = BENCHES[name]
    samples: list[Sample] = []
    for run in range(1, ground.scale.runs + 1):
        began = time.monotonic()
        sample = await bench.measure(ground, run)
        samples.append(sample)
        took = time.monotonic() - began
        told = f"{name} {run}/{ground.scale.runs}: {sample.value:.5g} {bench.unit}"
        told += f", ratio {sample.ratio:.3f}" if sample.ratio is not None else ""
        click.echo(f"{told} ({took:.0f} s)", err=True)
    return findings(name, bench.unit, samples, aim=bench.aim, judging=judging)


if __name__ == "__main__":
    sys.exit(main())
