"""What every command is given: the settings, read in one way, refused in one way."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final, NoReturn

import click

from router.runtime.errors import SettingsError
from router.runtime.settings.loader import load
from router.runtime.settings.model import Settings

EXIT_WRONG: Final = 2

settings_option: Callable[[Callable[..., None]], Callable[..., None]] = click.option(
    "--settings",
    "settings_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    envvar="TURNOUT_SETTINGS",
    help="Settings file (YAML). Environment variables such as TURNOUT__REDIS__URL go before it.",
)


def read_settings(file: Path | None) -> Settings:
    """The settings, or exit 2 with every problem."""
    environ = {name: value for name, value in os.environ.items() if name != "TURNOUT_SETTINGS"}
    try:
        return load(environ, file)
    except SettingsError as exc:
        refuse("the settings are wrong", exc.problems)


def refuse(what: str, problems: tuple[str, ...], *, code: int = EXIT_WRONG) -> NoReturn:
    """Say all that is wrong, and exit."""
    click.echo(f"turnout: {what}:", err=True)
    for problem in problems:
        click.echo(f"  {problem}", err=True)
    raise SystemExit(code)
