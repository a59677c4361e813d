"""``turnout simulate``: try a policy, a rulebook or a roster on simulated customers before real ones have to."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from router.cli.given import refuse
from router.contract.ids import AdvisorId
from router.service.configuration.rule_files import RuleFiles, profile_of
from router.simulation.case import Case
from router.simulation.case_file import names, read_case, text_of
from router.simulation.comparison import answer
from router.simulation.contenders import AS_WRITTEN, DEFAULT, EVERY
from router.simulation.installation import Worker
from router.simulation.question import Entry, Question, inquiries_of
from router.simulation.report import lines, table
from rules import content
from rules.errors import RulesError

_WIDTH = 120
_LONGER = 32
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("file")
@click.option("--policy", "policies", multiple=True, type=click.Choice(EVERY), help="Compare this one too.")
@click.option("--every-policy", is_flag=True, help="Compare all of them.")
@click.option("--rules", type=_FOLDER, help="Judge and route by the rulebook in this folder.")
@click.option("--roster", type=_FILE, help="Answer with the advisors of this roster file.")
@click.option("--changed-rules", type=_FOLDER, help="Compare with this rulebook, on the same traffic.")
@click.option("--changed-roster", type=_FILE, help="Compare with these advisors, on the same traffic.")
@click.option("--replications", type=click.IntRange(1, 10_000), help="Days to simulate; the case's if left out.")
@click.option(
    "--within",
    type=click.FloatRange(min=0.01, max=100),
    help="Go on, up to 32 times as many days, until each difference is known to so many points.",
)
@click.option("--seed", type=int, help="Other days; the case's if left out.")
@click.option("--processes", type=click.IntRange(1, 256), default=os.cpu_count() or 1, show_default="one a core")
@click.option("--json", "as_json", is_flag=True, help="Print the rows as a JSON list.")
def simulate(  # noqa: PLR0913 - one parameter an option
    *,
    file: str,
    policies: tuple[str, ...],
    every_policy: bool,
    rules: Path | None,
    roster: Path | None,
    changed_rules: Path | None,
    changed_roster: Path | None,
    replications: int | None,
    within: float | None,
    seed: int | None,
    processes: int,
    as_json: bool,
) -> None:
    """Simulate the case in FILE: who is served in time, how long they wait, how many give up, how even the load is.

    FILE is a case of your own (YAML), or the name of one that comes with Turnout. The engine that routes is the one in
    production. Give --rules and --roster to try yours, and --changed-rules or --changed-roster to see what a change
    would do before you make it. Exit 2 when a file is wrong; every problem is shown.
    """
    try:
        case = _case(file, seed, is_judged=rules is not None, is_staffed=roster is not None)
        entries = [*_entries(case, rules, roster, EVERY if every_policy else policies)]
        if changed_rules or changed_roster:
            entries += _entries(case, changed_rules or rules, changed_roster or roster, label="changed")
        for entry in {each.rules: each for each in entries}.values():
            entry.scene(case)
    except (RulesError, OSError) as exc:
        refuse("the simulation can't start", tuple(str(exc).splitlines()))
    days = replications or case.replications
    question = Question(
        name=Path(file).stem,
        case=case,
        entries=tuple(entries),
        replications=days,
        most=_LONGER * days if within else 0,
        within=(within or 0.0) / 100,
    )
    with _bar(inquiries_of(question)) as told:
        found = answer(question, processes=processes, told=told)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found.rows), indent=2))
        return
    # A file or a pipe has no width of its own, and a table that is cut short tells nothing.
    console = Console() if sys.stdout.isatty() else Console(width=_WIDTH)
    console.print(table(question, found))
    for line in lines(question, found):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _case(file: str, seed: int | None, *, is_judged: bool, is_staffed: bool) -> Case:
    path = Path(file)
    if not path.exists() and file not in names():
        raise FileNotFoundError(
            f"there is no file {file}, and no case of that name comes with Turnout: {', '.join(names())}"
        )
    text = path.read_text("utf-8") if path.exists() else text_of(file)
    case = read_case(file, text, is_judged=is_judged, is_staffed=is_staffed)
    return case if seed is None else msgspec.structs.replace(case, seed=seed)


def _entries(
    case: Case, rules: Path | None, roster: Path | None, policies: Sequence[str] = (), *, label: str = ""
) -> Iterator[Entry]:
    """What is asked for, on these files: the first is what they say, or Turnout's default where they say nothing."""
    files = RuleFiles(str(rules) if rules else None, str(roster) if roster else None)
    written = content(files.rulebook()) if rules else b""
    rows = files.roster().advisors if roster else ()
    workers = tuple(Worker(AdvisorId(row.id), profile_of(row), slowdown=case.slowdown) for row in rows)
    first = AS_WRITTEN if rules else DEFAULT
    for policy in dict.fromkeys((first, *policies)):
        yield Entry(label=label or policy, policy=policy, rules=written, workers=workers)


@contextmanager
def _bar(inquiries: int) -> Iterator[Callable[[int], object]]:
    """A progress bar, where somebody watches."""
    console, come = Console(stderr=True), 0
    columns = (TextColumn("inquiries"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=inquiries)

        def told(more: int) -> None:
            nonlocal inquiries, come
            come += more
            if come > 1.1 * inquiries:
                # More than chance alone brings: it goes on for as long again.
                inquiries *= 2
            progress.update(task, completed=come, total=inquiries)

        yield told
        # Chance may have brought fewer than was said.
        progress.update(task, completed=come, total=come)
