"""``turnout check``: everything that could be wrong before a start, all of it together."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final, TypeVar

import click
import msgspec
from msgspec import Struct

from router.cli.asking import address, ask, key_option, url_option
from router.cli.forecast_text import forecast_lines
from router.cli.given import read_settings, refuse, settings_option
from router.runtime.clock import SystemClock
from router.runtime.errors import SettingsError
from router.runtime.plugin_catalog import PluginCatalog, install
from router.runtime.settings.model import Settings
from router.service.rule_files import RuleFiles
from rules import Rulebook, content
from rules.calendar import Calendar
from rules.errors import RulesError, Severity

T = TypeVar("T")

_SHOWN: Final = 3


@click.command()
@settings_option
@click.option("--cases", is_flag=True, help="Ask the service what these rules would do to the clocks of its cases.")
@key_option
@url_option
def check(settings_file: Path | None, cases: bool, key: str | None, url: str | None) -> None:
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
        click.echo(f"calendar {name}: {_preview(calendar, SystemClock().now_ms())}")
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
        for problem in files.problems(rulebook, roster):
            (errors if problem.severity is Severity.ERROR else found.doubts).append(str(problem))


def _read(read: Callable[[], T], errors: list[str]) -> T | None:
    """What is read, or None with what is wrong among the errors."""
    try:
        return read()
    except (RulesError, OSError) as exc:
        errors += str(exc).splitlines()
        return None


def _preview(calendar: Calendar, now_ms: int) -> str:
    """The next openings as a clock on the wall there shows them."""
    openings = calendar.openings(now_ms, _SHOWN)
    return "; ".join(
        f"{_wall(calendar, begin, '%a %Y-%m-%d %H:%M')} - {_end(calendar, begin, end)}" for begin, end in openings
    )


def _end(calendar: Calendar, begin_ms: int, end_ms: int) -> str:
    is_same = _wall(calendar, begin_ms, "%x") == _wall(calendar, end_ms, "%x")
    return _wall(calendar, end_ms, "%H:%M" if is_same else "%a %Y-%m-%d %H:%M")


def _wall(calendar: Calendar, at_ms: int, form: str) -> str:
    return datetime.fromtimestamp(at_ms / 1000, calendar.zone).strftime(form)
