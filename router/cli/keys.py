"""``turnout keys``: keys of the API."""

from pathlib import Path

import click
import msgspec

from router.cli.given import read_settings, refuse, settings_option
from router.cli.running import on_bus
from router.contract.config import ApiKey, Role
from router.contract.ids import AdvisorId, PoolId
from router.runtime.bus.protocol import Bus
from router.runtime.clock import SystemClock
from router.service.configuration.api_keys import InvalidKey, KeyTable, make_key
from router.service.configuration.rule_files import RuleFiles
from router.service.configuration.topic import ConfigurationTail, ConfigurationWriter


@click.group()
def keys() -> None:
    """Make, list and revoke keys of the API. A key is shown once, when it is made; only its hash is kept."""


@keys.command()
@settings_option
@click.option("--role", type=click.Choice([role.value for role in Role]), default=Role.ADVISOR.value, show_default=True)
@click.option("--advisor", help="Whose key it is: an id of the roster.")
@click.option("--each-advisor", is_flag=True, help="A key for every advisor of the roster.")
@click.option("--pool", help="The pool the key is for. Default: the first of the settings.")
@click.option("--name", default="", help="What the key is for, to tell it from others.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object: {advisor or role: key}.")
def create(  # noqa: PLR0913 - one parameter an option
    *,
    settings_file: Path | None,
    role: str,
    advisor: str | None,
    each_advisor: bool,
    pool: str | None,
    name: str,
    as_json: bool,
) -> None:
    """Make a key and print it."""
    settings = read_settings(settings_file)
    known = {row.id for row in RuleFiles.of(settings).roster().advisors}
    if advisor is not None and advisor not in known:
        refuse("no key was made", (f"--advisor: {advisor!r} isn't in the roster",))
    names = sorted(known) if each_advisor else [advisor]
    try:
        made = {
            one or role: make_key(
                Role(role),
                PoolId(pool or settings.pools[0]),
                created_at_ms=SystemClock().now_ms(),
                advisor=AdvisorId(one) if one else None,
                name=name,
            )
            for one in names
        }
    except InvalidKey as exc:
        refuse("no key was made", (f"{exc}: --advisor ID, or --each-advisor",))

    async def put(bus: Bus) -> None:
        writer = ConfigurationWriter(bus, clock=SystemClock())
        for key, _ in made.values():
            await writer.put_key(key)

    on_bus(settings, put)
    if as_json:
        click.echo(msgspec.json.encode({one: token for one, (_, token) in made.items()}))
        return
    for one, (_, token) in made.items():
        click.echo(f"{one}  {token}" if each_advisor else token)


@keys.command(name="list")
@settings_option
def list_(settings_file: Path | None) -> None:
    """List the keys, without their secrets."""
    found = on_bus(read_settings(settings_file), _read)
    if not found:
        click.echo("no keys yet: `turnout keys create` makes one", err=True)
    for key in found:
        state = "revoked" if key.revoked else "in force"
        click.echo(f"{key.id}  {key.role:<11} {key.advisor or '-':<16} {key.pool:<12} {state}  {key.name}")


@keys.command()
@settings_option
@click.argument("key_id")
def revoke(settings_file: Path | None, key_id: str) -> None:
    """Revoke a key by its id. What it opened ends at once."""

    async def end(bus: Bus) -> bool:
        found = [key for key in await _read(bus) if key.id == key_id]
        for key in found:
            await ConfigurationWriter(bus, clock=SystemClock()).revoke_key(key)
        return bool(found)

    if not on_bus(read_settings(settings_file), end):
        refuse("nothing was revoked", (f"there is no key {key_id!r}: `turnout keys list` shows them",))


async def _read(bus: Bus) -> list[ApiKey]:
    table = KeyTable()
    await ConfigurationTail(bus, table, clock=SystemClock()).read()
    return list(table)
