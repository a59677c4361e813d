"""``python -m tests.bench.quality [CASE ...]``: how well each policy keeps promises, case by case, on the same traffic.

Every strategy of ours and the policies of others run over the cases that come with Turnout. Prints the tables, how far
each stays below what nobody could do better, and where the default stands; writes ``build/quality.json``. A case's
replications are doubled until it is known of each policy whether it keeps more or fewer promises than the default, or
that they differ by less than half a point. The run fails when one keeps more.
"""

import argparse
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click
import msgspec
from rich.console import Console

from router.simulation.case_file import names, read_case, text_of
from router.simulation.comparison import Answer, Row, answer
from router.simulation.contenders import DEFAULT, EVERY
from router.simulation.estimates import Estimate
from router.simulation.question import Entry, Question
from router.simulation.report import gaps, is_worse, lines, table

BEHIND: Final = "BEHIND"
_WIDTH: Final = 120
_WITHIN: Final = 0.005
_POLICIES: Final = (DEFAULT, *(name for name in EVERY if name != DEFAULT))


def main(words: list[str] | None = None) -> int:
    """Run the cases asked for, or all; 0 unless the default is behind in one."""
    given = _arguments(words)
    console = Console(width=_WIDTH)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    rows: list[Row] = []
    stands: list[str] = []
    for name in given.cases or names():
        began = time.monotonic()
        question = _question(name, given.replications, given.most)
        found = answer(question, processes=given.processes)
        rows += found.rows
        console.print(table(question, found))
        stands += [f"{name}: {line} ({found.replications} replications)" for line in standing(found)]
        for line in (*lines(question, found), *_gaps(found)):
            console.print(line, markup=False, highlight=False, soft_wrap=True)
        console.print(f"{name}: {time.monotonic() - began:.0f} s\n", markup=False, highlight=False)
        # After each case: a run that is cut short has measured something.
        given.out.write_bytes(msgspec.json.format(msgspec.json.encode(rows), indent=2) + b"\n")
    click.echo(f"Where the default ({DEFAULT}) stands in promises kept:")
    for line in stands:
        click.echo(f"  {line}")
    click.echo(f"written to {given.out}")
    behind = sum(BEHIND in line for line in stands)
    click.echo(
        f"{DEFAULT}: behind {behind} times" if behind else f"{DEFAULT}: best, or as good as the best, everywhere"
    )
    return 1 if behind else 0


def _arguments(words: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.quality", description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"only these of {', '.join(names())}")
    parser.add_argument("--replications", type=int, default=10, help="days a case, at the least")
    parser.add_argument("--most", type=int, default=40, help="days a case, at the most")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--out", type=Path, default=Path("build/quality.json"))
    return parser.parse_args(words)


def _question(name: str, replications: int, most: int) -> Question:
    case = read_case(name, text_of(name))
    entries = tuple(Entry(label=policy, policy=policy) for policy in _POLICIES)
    return Question(
        name=name, case=case, entries=entries, replications=replications, most=max(replications, most), within=_WITHIN
    )


def standing(found: Answer) -> Iterator[str]:
    """Where the default stands: who is ahead of it, or who comes nearest, whether that is beyond doubt or not."""
    ahead = {label: each for label, each in found.ahead.items() if label != DEFAULT}
    better = [label for label, each in ahead.items() if is_worse(each)]
    for label in better:
        yield f"{BEHIND} {label} by {_points(ahead[label])}"
    if not better:
        nearest = max(ahead, key=lambda label: ahead[label].mean)
        yield f"best, or as good as the best: {nearest} against it {_points(ahead[nearest])}"


def _points(ahead: Estimate) -> str:
    return f"{100 * ahead.mean:+.2f} +/- {100 * ahead.half:.2f} points"


def _gaps(found: Answer) -> Iterator[str]:
    yield "below the bound: " + ", ".join(f"{label} {points:.1f}" for label, points in gaps(found)) + " points"


if __name__ == "__main__":
    sys.exit(main())
