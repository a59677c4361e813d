"""``turnout check``: everything that could be wrong before a start, all of it together."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click
import msgspec
from msgspec import Struct

from router.cli.asking import address, ask, key_option, url_option
from router.cli.calendar_text import SAID, calendar_lines
from router.cli.forecast_text import forecast_lines
from router.cli.given import read_settings, refuse, settings_option
from router.runtime.clock import SystemClock
from router.runtime.errors import SettingsError
from router.runtime.plugin_catalog import PluginCatalog, install
from router.runtime.settings.model import Settings
from router.service.configuration.rule_files import RuleFiles
from rules import Rulebook, content
from rules.calendar import Calendar
from rules.errors import RulesError, Severity

T = TypeVar("T")


@click.command()
@settings_option
@click.option("--cases", is_flag=True, help="Ask the service what these rules would do to the clocks of its cases.")
@key_option
@url_option
@click.option("--lang", type=click.Choice(sorted(SAID)), default="en", show_default=True, help="Of the calendars.")
def check(settings_file: Path | None, cases: bool, key: str | None, url: str | None, lang: str) -> None:
    """Check settings, channel options, rules and roster. Exit 2 when something would keep the service from
    starting; doubts are shown and do no harm. With --cases also say which due times would move, and what would be
    overdue at once; nothing is changed."""
    settings = read_settings(settings_file)
    found = _Findings()
    _look(settings, found)
    for doubt in found.doubts:
        click.echo(f"warning: {doubt}")
    if found.errors:
        refuse("not ready to start", tuple(found.errors))
    for name, calendar in sorted(found.calendars.items()):
        for line in calendar_lines(name, calendar, SystemClock().now_ms(), lang):
            click.echo(line)
    if cases and found.rulebook is not None:
        body = msgspec.json.encode({"rulebook": msgspec.Raw(content(found.rulebook))})
        for line in forecast_lines(ask(address(url, settings_file), key, "/v1/rulebooks/forecast", body=body)):
            click.echo(line)
    click.echo("settings, rules and roster are in order")


class _Findings(Struct):
    """What a look at everything has found."""

    errors: list[str] = []
    doubts: list[str] = []
    calendars: dict[str, Calendar] = {}
    rulebook: Rulebook | None = None


def _look(settings: Settings, found: _Findings) -> None:
    errors = found.errors
    try:
        install(settings, PluginCatalog())
    except SettingsError as exc:
        errors += exc.problems
    files = RuleFiles.of(settings)
    rulebook, roster = _read(files.rulebook, errors), _read(files.roster, errors)
    if rulebook is not None:
        found.calendars, found.rulebook = rulebook.open_hours, rulebook
    if rulebook is not None and roster is not None:
        for problem in files.problems(rulebook, roster, SystemClock().now_ms()):
            (errors if problem.severity is Severity.ERROR else found.doubts).append(str(problem))


def _read(read: Callable[[], T], errors: list[str]) -> T | None:
    """What is read, or None with what is wrong among the errors."""
    try:
        return read()
    except (RulesError, OSError) as exc:
        errors += str(exc).splitlines()
        return None
