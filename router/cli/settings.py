"""``turnout settings``: what can be set."""

import click

from router.cli.given import refuse
from router.runtime.errors import PluginFailed, PluginMissing
from router.runtime.plugin_catalog import PluginCatalog
from router.runtime.settings.table import SettingRow, describe


@click.command()
@click.option("--channel", help="List the options of an account of this channel instead.")
@click.option("--notifier", help="List the options of a target of this notifier instead.")
def settings(channel: str | None, notifier: str | None) -> None:
    """List every setting: its path, type, default and meaning.

    A path a.b is written as a key b below a in the settings file, and as TURNOUT__A__B in the environment;
    TURNOUT__A__B_FILE names a file that holds the value.
    """
    for row in _asked_for(channel, notifier):
        default = f"default {row.default}" if row.default not in ("", "(required)") else row.default.strip("()")
        click.echo(f"{row.path}  ({', '.join(filter(None, (row.type, default)))})")
        if row.meaning:
            click.echo(f"    {row.meaning}")


def _asked_for(channel: str | None, notifier: str | None) -> tuple[SettingRow, ...]:
    plugins = PluginCatalog()
    try:
        if channel is not None:
            return describe(plugins.adapter(channel).options_type(), "accounts.<name>.options.")
        if notifier is not None:
            return describe(plugins.notifier(notifier).options_type(), "targets.<name>.options.")
    except (PluginMissing, PluginFailed) as exc:
        refuse("no options to list", (str(exc),))
    return describe()
