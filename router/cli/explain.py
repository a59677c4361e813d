"""``turnout explain``: why a case is where it is."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from router.cli.asking import address, ask, case_path, key_option, url_option
from router.cli.given import settings_option


@click.command()
@settings_option
@click.argument("case")
@key_option
@url_option
def explain(settings_file: Path | None, case: str, key: str | None, url: str | None) -> None:
    """Say why CASE went where it is, why not to others, and what it waits for."""
    for line in _lines(ask(address(url, settings_file), key, case_path(case))):
        click.echo(line)


def _lines(page: Mapping[str, Any]) -> Iterator[str]:
    case, told = page["case"], page["explanation"]
    owner = f", with {case['owner']}" if case.get("owner") else ""
    yield f"case {case['id']}: {case['state']}{owner}, queue {case['queue']}, priority {case['priority']}"
    yield f"rulebook {case['rulebook']}" + (f", decided at {told['decided_at']}" if told.get("decided_at") else "")
    yield from _part("why here", told["why_here"])
    removed = (
        f"{out['count']} {out['reason']}" + (f" ({', '.join(out['first'])})" if out.get("first") else "")
        for out in told.get("why_not", ())
    )
    yield from _part("why not the others, when it was decided", removed)
    yield from _part("what it waits for now", told.get("why_waiting", ()))


def _part(title: str, lines: Any) -> Iterator[str]:
    for number, line in enumerate(lines):
        if number == 0:
            yield f"{title}:"
        yield f"  {line}"
