"""``turnout settings``: what can be set."""

import click

from router.runtime.settings.table import describe


@click.command()
def settings() -> None:
    """List every setting: its path, type, default and meaning.

    A path a.b is written as a key b below a in the settings file, and as TURNOUT__A__B in the environment;
    TURNOUT__A__B_FILE names a file that holds the value.
    """
    for row in describe():
        click.echo(f"{row.path}  ({row.type}, default {row.default})")
        click.echo(f"    {row.meaning}")
