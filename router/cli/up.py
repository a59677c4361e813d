"""``turnout up``: the service."""

from pathlib import Path

import click

from router.app import Role, serve
from router.cli.given import EXIT_WRONG, read_settings, refuse, settings_option
from router.runtime.errors import ProcessStuck, RuntimeFailure, SettingsError
from router.runtime.logs import install_logs
from router.runtime.plugin_catalog import PluginCatalog, install
from router.runtime.watchdog import EXIT_BLOCKED
from rules.errors import RulesError


@click.command()
@settings_option
@click.option(
    "--role",
    "roles",
    multiple=True,
    type=click.Choice([role.value for role in Role]),
    help="Run only this role; may be repeated. Without it: all roles.",
)
def up(settings_file: Path | None, roles: tuple[str, ...]) -> None:
    """Start the service and run it until it is told to stop (SIGTERM, Ctrl-C).

    Without settings it runs standalone: all roles in this process, with a Valkey of its own in data_dir. SIGHUP
    reloads rules and roster.
    """
    settings = read_settings(settings_file)
    try:
        installation = install(settings, PluginCatalog())
    except SettingsError as exc:
        refuse("the settings are wrong", exc.problems)
    install_logs(settings.logs)
    wanted = frozenset(Role(role) for role in roles) or frozenset(Role)
    try:
        serve(settings, wanted, installation)
    except (RuntimeFailure, RulesError) as exc:
        code = EXIT_BLOCKED if isinstance(exc.__cause__, ProcessStuck) else EXIT_WRONG
        refuse("the service stopped", tuple(str(exc.__cause__ or exc).splitlines()), code=code)
