"""``turnout schema``: JSON Schemas of the rulebook's and the roster's files, for an editor."""

from typing import Final

import click

from router.contract.schema import flowing, pretty
from rules.schema import roster_schema, rulebook_schema

SCHEMAS: Final = {"rulebook": rulebook_schema, "roster": roster_schema}


@click.command()
@click.argument("kind", type=click.Choice(sorted(SCHEMAS)), default="rulebook")
def schema(kind: str) -> None:
    """Print the JSON Schema of a rulebook's files, or of a roster's.

    Give it to your editor, and it completes and checks the files while you write them. What names stand for is for
    `turnout check`.
    """
    click.echo(schema_text(kind), nl=False)


def schema_text(kind: str) -> str:
    """The schema as it is printed, and as it stands in ``docs``."""
    return pretty(flowing(SCHEMAS[kind]()))
