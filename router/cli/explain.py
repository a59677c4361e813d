"""``turnout explain``: why a case is where it is."""

from pathlib import Path
from urllib.parse import quote
from zoneinfo import ZoneInfo

import click

from router.cli.asking import address, ask, case_path, key_option, url_option
from router.cli.decision_text import decision_lines
from router.cli.explanation_text import explanation_lines, in_zone
from router.cli.given import refuse, settings_option
from rules.opening_hours import is_zone


@click.command()
@settings_option
@click.argument("case")
@key_option
@url_option
@click.option("--lang", type=click.Choice(["en", "ko"]), default="en", show_default=True, help="The language.")
@click.option("--full", is_flag=True, help="Every advisor as he stood when it was decided, and why it was him or not.")
@click.option("--advisor", help="The same of this one only.")
@click.option("--time-zone", help="Show times of this zone, such as Asia/Seoul. Default: this machine's.")
def explain(  # noqa: PLR0913 - one argument an option
    *,
    settings_file: Path | None,
    case: str,
    key: str | None,
    url: str | None,
    lang: str,
    full: bool,
    advisor: str | None,
    time_zone: str | None,
) -> None:
    """Say why CASE went where it is, why not to others, what it waits for, and what would free it."""
    if time_zone is not None and not is_zone(time_zone):
        refuse("there is no such time zone", (f"--time-zone: {time_zone!r}; write one such as Asia/Seoul",))
    zone = ZoneInfo(time_zone) if time_zone else None
    at = address(url, settings_file)
    if full or advisor:
        only = f"&advisor={quote(advisor)}" if advisor else ""
        lines = decision_lines(ask(at, key, f"{case_path(case, '/decision')}?lang={lang}&limit=1000{only}"), lang)
    else:
        lines = explanation_lines(ask(at, key, f"{case_path(case)}?lang={lang}"), lang)
    for line in lines:
        click.echo(in_zone(line, zone))
