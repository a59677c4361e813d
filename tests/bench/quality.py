"""``python -m tests.bench.quality [CASE ...]``: how well each policy keeps promises, case by case, on the same traffic.

Every strategy of ours and the policies of others run over the cases that come with Turnout. Prints the tables, how far
each stays below what nobody could do better, and where the default stands; writes ``build/quality.json``. That the
default is behind somewhere is shown and is no failure of the run.
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
from router.simulation.comparison import Answer, Entry, Question, Row, answer
from router.simulation.contenders import DEFAULT, EVERY
from router.simulation.report import gaps, is_worse, lines, table

_WIDTH: Final = 120
_POLICIES: Final = (DEFAULT, *(name for name in EVERY if name != DEFAULT))


def main(words: list[str] | None = None) -> int:
    """Run the cases asked for, or all; 0 unless one broke."""
    given = _arguments(words)
    console = Console(width=_WIDTH)
    rows: list[Row] = []
    standing: list[str] = []
    for name in given.cases or names():
        began = time.monotonic()
        question = _question(name, given.replications)
        found = answer(question, processes=given.processes)
        rows += found.rows
        console.print(table(question, found))
        standing += [f"{name}: {line}" for line in _standing(found)]
        for line in (*lines(question, found), *_gaps(found)):
            console.print(line, markup=False, highlight=False, soft_wrap=True)
        console.print(f"{name}: {time.monotonic() - began:.0f} s\n", markup=False, highlight=False)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_bytes(msgspec.json.format(msgspec.json.encode(rows), indent=2) + b"\n")
    click.echo(f"Where the default ({DEFAULT}) stands in promises kept:")
    for line in standing:
        click.echo(f"  {line}")
    click.echo(f"written to {given.out}")
    return 0


def _arguments(words: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.quality", description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"only these of {', '.join(names())}")
    parser.add_argument("--replications", type=int, help="days a case; each case's own number if left out")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--out", type=Path, default=Path("build/quality.json"))
    return parser.parse_args(words)


def _question(name: str, replications: int | None) -> Question:
    case = read_case(name, text_of(name))
    entries = tuple(Entry(label=policy, policy=policy) for policy in _POLICIES)
    return Question(name=name, case=case, entries=entries, replications=replications or case.replications)


def _standing(found: Answer) -> Iterator[str]:
    better = [(label, ahead) for label, ahead in found.ahead.items() if is_worse(ahead)]
    for label, ahead in better:
        yield f"BEHIND {label} by {100 * ahead.mean:.2f} +/- {100 * ahead.half:.2f} points"
    if not better:
        yield "best, or as good as the best"


def _gaps(found: Answer) -> Iterator[str]:
    yield "below the bound: " + ", ".join(f"{label} {points:.1f}" for label, points in gaps(found)) + " points"


if __name__ == "__main__":
    sys.exit(main())
