"""``turnout check``: everything that could be wrong before a start, all of it together."""

from pathlib import Path

import click

from router.cli.given import read_settings, refuse, settings_option
from router.runtime.errors import SettingsError
from router.runtime.plugin_catalog import PluginCatalog, install
from router.runtime.settings.model import Settings
from router.service.rule_files import RuleFiles
from rules.errors import RulesError, Severity
from rules.surroundings import Surroundings


@click.command()
@settings_option
def check(settings_file: Path | None) -> None:
    """Check settings, channel options, rules and roster. Exit 2 when something would keep the service from
    starting; doubts are shown and do no harm."""
    settings = read_settings(settings_file)
    errors, doubts = _problems(settings)
    for doubt in doubts:
        click.echo(f"warning: {doubt}")
    if errors:
        refuse("not ready to start", tuple(errors))
    click.echo("settings, rules and roster are in order")


def _problems(settings: Settings) -> tuple[list[str], list[str]]:
    errors: list[str] = []
    try:
        install(settings, PluginCatalog())
    except SettingsError as exc:
        errors += exc.problems
    around = Surroundings(pools=settings.pools, targets=tuple(settings.targets))
    files = RuleFiles(settings.rules_dir, settings.roster_file, around)
    parts = []
    for read in (files.rulebook, files.roster):
        try:
            parts.append(read())
        except (RulesError, OSError) as exc:
            errors += str(exc).splitlines()
    doubts: list[str] = []
    if len(parts) == 2:
        for problem in files.problems(parts[0], parts[1]):  # type: ignore[arg-type]  # rulebook and roster, in that order
            (errors if problem.severity is Severity.ERROR else doubts).append(str(problem))
    return errors, doubts
