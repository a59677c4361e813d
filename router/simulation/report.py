"""An answer for people: tables, and in words which entry keeps more promises."""

from collections.abc import Iterator, Sequence
from typing import Final

from rich import box
from rich.table import Table

from router.simulation.comparison import Answer, Row
from router.simulation.estimates import Estimate
from router.simulation.measures import ALL
from router.simulation.question import Question

# Heads of two lines let the numbers stand whole in a terminal of 80 columns.
_COLUMNS: Final = ("policy", "class", "in\ntime %", "+/-", "bound\n%", "mean\nwait", "p95\nwait", "gave\nup %", "gini")
TIE: Final = 0.002
"""A difference of two promises in a thousand is called none, however sure it is."""


def is_worse(ahead: Estimate) -> bool:
    """Whether somebody who is ahead by so much is better beyond doubt, and by more than a trifle."""
    return ahead.low > 0 and ahead.mean > TIE


def table(question: Question, answer: Answer) -> Table:
    """All rows, one entry after the other."""
    shown = Table(title=question.case.title, box=box.SIMPLE_HEAD, show_edge=False, padding=0)
    for number, name in enumerate(_COLUMNS):
        shown.add_column(name, justify="left" if number < 2 else "right", no_wrap=True)
    for entry in question.entries:
        rows = [row for row in answer.rows if row.policy == entry.label]
        for row in rows:
            shown.add_row(*_cells(row), end_section=row is rows[-1])
    return shown


def lines(question: Question, answer: Answer) -> Iterator[str]:
    """What the table comes to. The differences are of the same traffic, so they are surer than the intervals of two
    rows side by side."""
    first = question.entries[0].label
    yield f"{answer.replications} replications of about {answer.inquiries:,.0f} inquiries, all under the same traffic"
    for entry in question.entries[1:]:
        ahead = answer.ahead[entry.label]
        yield f"{entry.label} against {first}: {_said(ahead)}"


def _said(ahead: Estimate) -> str:
    points = f"{100 * abs(ahead.mean):.2f} +/- {100 * ahead.half:.2f} points"
    if is_worse(ahead):
        return f"more in time by {points}"
    if is_worse(Estimate(-ahead.mean, ahead.half)):
        return f"fewer in time by {points}"
    return f"no difference that this shows ({100 * ahead.mean:+.2f} +/- {100 * ahead.half:.2f} points in time)"


def gaps(answer: Answer) -> Sequence[tuple[str, float]]:
    """How many points of promises each entry stays below what nobody could do better."""
    return [(row.policy, 100 * (row.bound - row.sla)) for row in answer.rows if row.class_ == ALL]


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.policy if row.class_ == ALL else "",
        row.class_,
        f"{100 * row.sla:.1f}",
        f"{50 * (row.sla_ci[1] - row.sla_ci[0]):.1f}",
        f"{100 * row.bound:.1f}",
        _duration(row.mean_wait_s),
        _duration(row.p95_wait_s),
        f"{100 * row.abandoned:.1f}",
        f"{row.gini:.3f}" if row.class_ == ALL else "",
    )


def _duration(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min" if seconds < 6_000 else f"{seconds / 3_600:.1f} h"
