"""``turnout demo``: the whole line at work, with simulated customers and advisors."""

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path
from typing import NoReturn

import click
import msgspec
from rich.console import Console

from router.demo.account import Findings
from router.demo.closing import closing_lines
from router.demo.errors import DemoFailed
from router.demo.run import Screen, run_demo
from router.demo.sabotage import Sabotage
from router.demo.stage import Plan
from router.demo.table import LiveScreen, PlainScreen
from router.runtime.errors import RuntimeFailure
from router.runtime.settings.model import BusKind

_INTERRUPTED = 130


@click.command()
@click.option("--seconds", type=click.FloatRange(1, 3600), default=45.0, show_default=True, help="Length of traffic.")
@click.option(
    "--rate", type=click.FloatRange(0.1, 500), default=6.0, show_default=True, help="New conversations a second."
)
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed has the same customers.")
@click.option("--bus", type=click.Choice([kind.value for kind in BusKind]), default="streams", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print the account as one JSON object, as the last line.")
@click.option(
    "--keep",
    type=click.Path(file_okay=False, path_type=Path),
    help="Leave the service's files and log in this directory.",
)
@click.option("--sabotage", type=click.Choice([kind.value for kind in Sabotage]), default="none", hidden=True)
def demo(  # noqa: PLR0913 - one parameter an option
    *, seconds: float, rate: float, seed: int, bus: str, as_json: bool, keep: Path | None, sabotage: str
) -> None:
    """Watch the whole line at work for a minute.

    Starts the service on free ports of this machine, lets simulated customers write in English and Korean over
    every installed channel, lets simulated advisors answer, and draws up an account from what both have seen.
    Exit 1 when anything was lost, doubled, above capacity or without the skill. Nothing needs to be installed for
    it. With --bus kafka it starts a Kafka of its own (that takes Java and Maven), or uses the one that
    TURNOUT__KAFKA__BOOTSTRAP names, which no other Turnout may be using.
    """
    plan = Plan(
        seconds=seconds,
        rate=rate,
        seed=seed,
        bus=BusKind(bus),
        environ=dict(os.environ),
        sabotage=Sabotage(sabotage),
        keep=keep.resolve() if keep else None,
    )
    console = Console(stderr=as_json)
    findings = _run(plan, console)
    for line in closing_lines(findings, plan.keep):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    if as_json:
        click.echo(msgspec.json.encode(findings.account))
    raise SystemExit(0 if findings.account.is_sound else 1)


def _run(plan: Plan, console: Console) -> Findings:
    try:
        with contextlib.ExitStack() as stack:
            is_live = console.is_terminal and not console.is_dumb_terminal
            screen: Screen = stack.enter_context(LiveScreen(console)) if is_live else PlainScreen(console)
            return asyncio.run(_ending_on_sigterm(plan, screen))
    except (KeyboardInterrupt, asyncio.CancelledError):
        click.echo("stopped; everything that was started has ended", err=True)
        sys.exit(_INTERRUPTED)
    except (DemoFailed, RuntimeFailure) as exc:
        _refuse(exc)
    except ExceptionGroup as group:
        _refuse(_first(group))


async def _ending_on_sigterm(plan: Plan, screen: Screen) -> Findings:
    """As Ctrl-C does it, so that nothing is left behind."""
    task = asyncio.current_task()
    assert task is not None
    with contextlib.suppress(NotImplementedError):
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await run_demo(plan, screen)


def _first(group: ExceptionGroup[Exception]) -> Exception:
    """The first cause of a group of failures, whatever followed from it."""
    first: Exception = group
    while isinstance(first, ExceptionGroup):
        first = first.exceptions[0]
    return first


def _refuse(exc: Exception) -> NoReturn:
    if not isinstance(exc, DemoFailed | RuntimeFailure):
        raise exc
    click.echo(f"turnout demo: {exc}", err=True)
    sys.exit(2)
