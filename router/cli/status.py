"""``turnout status``: how the running service does."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import click

from router.cli.given import read_settings, refuse, settings_option
from router.runtime import run_file

_SHOWN = (
    "turnout_inquiries_total",
    "turnout_relayed_total",
    "turnout_dead_letters_total",
    "turnout_pressure_level",
    "turnout_sweep_found_total",
    "turnout_rulebook_info",
)


@click.command()
@settings_option
@click.option("--ops", "ops_url", help="Base URL of the ops port. Default: that of the process on data_dir.")
def status(settings_file: Path | None, ops_url: str | None) -> None:
    """Say what is ready and what isn't, and the most telling numbers. Exit 1 when it isn't ready."""
    settings = read_settings(settings_file)
    running = run_file.read(Path(settings.data_dir))
    url = ops_url or (running.ops if running else None)
    if url is None:
        refuse(
            "the service isn't running",
            (f"nothing runs on data_dir {settings.data_dir}: start it with `turnout up`, or name --ops URL",),
        )
    try:
        ready, metrics = asyncio.run(_ask(url))
    except (aiohttp.ClientError, TimeoutError) as exc:
        refuse("the ops port doesn't answer", (f"{url}: {exc or type(exc).__name__}",))
    if running:
        click.echo(f"process {running.pid}: {', '.join(running.roles)}")
        for name, where in _places(running).items():
            click.echo(f"  {name:<10} {where}")
    for name, problem in ready["problems"].items():
        click.echo(f"not ready: {name}: {problem}")
    for line in metrics.splitlines():
        if line.startswith(_SHOWN) and not line.endswith(" 0.0"):
            click.echo(f"  {line}")
    click.echo("ready" if ready["ready"] else "NOT ready")
    raise SystemExit(0 if ready["ready"] else 1)


def _places(running: run_file.RunFile) -> dict[str, str]:
    """Where each part is reached: a channel by its own ports if it has any, else by HTTP."""
    found = {"ops": running.ops, "api": running.api}
    for channel, url in running.channels.items():
        ports = running.ports.get(channel, {})
        found[channel] = ", ".join(f"{name} port {port}" for name, port in ports.items()) or url
    return {name: where for name, where in found.items() if where}


async def _ask(url: str) -> tuple[dict[str, Any], str]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as http:
        async with http.get(f"{url}/readyz") as answer:
            ready = await answer.json()
        async with http.get(f"{url}/metrics") as answer:
            return ready, await answer.text()
