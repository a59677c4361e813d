"""``turnout up``: the service."""

import errno
from pathlib import Path
from typing import Final

import click

from router.app import Role, serve
from router.cli.given import EXIT_WRONG, read_settings, refuse, settings_option
from router.runtime.errors import ProcessStuck, RuntimeFailure, SettingsError
from router.runtime.logs import install_logs
from router.runtime.plugin_catalog import PluginCatalog, install
from router.runtime.watchdog import EXIT_BLOCKED
from rules.errors import RulesError

_PORTS: Final = (
    "is another process on it? The ports are http.channels_port, http.api_port, http.ops_port (0: a free one), "
    "and listen.port of e-mail accounts"
)


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
        refuse("the service stopped", reasons(exc), code=code)


def reasons(exc: RuntimeFailure | RulesError) -> tuple[str, ...]:
    """Why the service could not start or had to stop, a line each; with what to do about a port that is taken."""
    cause = exc.__cause__
    if isinstance(cause, OSError) and cause.errno in (errno.EADDRINUSE, errno.EACCES):
        return f"{str(exc).partition(':')[0]}: {cause}", _PORTS
    return tuple(str(cause or exc).splitlines())
