"""``turnout clock``: why a case's clocks stand where they stand."""

from pathlib import Path
from zoneinfo import ZoneInfo

import click

from router.cli.asking import address, ask, case_path, key_option, url_option
from router.cli.clock_text import clock_lines
from router.cli.given import refuse, settings_option
from rules.opening_hours import is_zone


@click.command()
@settings_option
@click.argument("case")
@key_option
@url_option
@click.option("--time-zone", help="Show times of this zone, such as Asia/Seoul. Default: the calendar's own.")
def clock(settings_file: Path | None, case: str, key: str | None, url: str | None, time_zone: str | None) -> None:
    """Show what counted for each SLA clock of CASE and what did not, when it warns and when it is due."""
    if time_zone is not None and not is_zone(time_zone):
        refuse("there is no such time zone", (f"--time-zone: {time_zone!r}; write one such as Asia/Seoul",))
    zone = ZoneInfo(time_zone) if time_zone else None
    for line in clock_lines(ask(address(url, settings_file), key, case_path(case, "/clocks")), zone):
        click.echo(line)
