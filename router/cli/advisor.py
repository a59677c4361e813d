"""``turnout advisor``: an advisor's desk in the terminal."""

import asyncio
import os
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import click

from router.cli.advisor_client import Client, Ending
from router.cli.advisor_terminal import Terminal
from router.cli.asking import address, url_option
from router.cli.given import refuse, settings_option

_INTERRUPTED = 130


@click.command()
@settings_option
@click.option("--key", envvar="TURNOUT_KEY", help="The advisor's key, of `turnout keys create`. Or TURNOUT_KEY.")
@url_option
def advisor(settings_file: Path | None, key: str | None, url: str | None) -> None:
    """Sign in as an advisor: take offers, read, answer and resolve cases, a line at a time.

    Type `help` for the commands. It works through pipes too. Exit 0 when all is done, 1 when something was refused
    or not answered (without a terminal), 2 when it can't be begun, 3 when the key isn't or is no longer in force.
    """
    where = address(url, settings_file)
    if not key and sys.stdin.isatty():
        key = click.prompt("Key", hide_input=True)
    if not key or not key.strip():
        refuse("nobody to sign in", ("--key KEY, or TURNOUT_KEY: `turnout keys create --advisor ID` makes one",))
    try:
        ending = asyncio.run(_work(where, key.strip()))
    except KeyboardInterrupt:
        click.echo("interrupted; your presence ends after the grace time", err=True)
        raise SystemExit(_INTERRUPTED) from None
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python's last flush must not fail too
        raise SystemExit(Ending.TROUBLE) from None
    raise SystemExit(int(ending))


async def _work(where: Callable[[], str], key: str) -> Ending:
    with Terminal() as terminal:
        return await Client(where, key, terminal, lambda: datetime.now().astimezone()).run()
