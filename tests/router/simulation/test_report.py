"""What is shown of an answer."""

from rich.console import Console

from router.simulation.case_file import read_case, text_of
from router.simulation.comparison import Answer, Row
from router.simulation.question import Entry, Question
from router.simulation.report import table


def row(policy: str, name: str, wait_s: float) -> Row:
    return Row(
        case="day",
        policy=policy,
        class_=name,
        sla=0.9823,
        sla_ci=(0.9, 1.0),
        mean_wait_s=wait_s,
        p95_wait_s=3 * wait_s,
        abandoned=0.123,
        gini=0.1234,
        bound=1.0,
    )


def test_a_terminal_of_80_columns_shows_every_number_whole() -> None:
    policies = ("balanced", "fifo-longest-idle")
    entries = tuple(Entry(label=policy, policy=policy) for policy in policies)
    question = Question(name="day", case=read_case("day", text_of("n-design")), entries=entries, replications=1)
    rows = tuple(row(policy, name, wait_s) for policy in policies for name, wait_s in (("all", 99), ("billing", 1234)))
    console = Console(width=80)
    with console.capture() as shown:
        console.print(table(question, Answer(rows=rows, replications=1, inquiries=1.0, ahead={})))
    lines = shown.get().splitlines()
    assert not any("…" in line for line in lines)
    assert [line.split() for line in lines if "billing" in line] == [
        ["billing", "98.2", "5.0", "100.0", "20.6", "min", "61.7", "min", "12.3"]
    ] * len(policies)
