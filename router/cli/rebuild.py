"""``turnout rebuild``: the state store made anew from the bus, by hand."""

import os
import secrets
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import click

from router.cli.given import read_settings, refuse, settings_option
from router.cli.running import on_bus_and_store
from router.contract.ids import PoolId
from router.runtime.bus.protocol import Bus
from router.runtime.clock import SystemClock
from router.runtime.settings.model import Settings
from router.service.configuration.api_keys import KeyTable
from router.service.configuration.policies import Policies
from router.service.configuration.topic import ConfigurationTail
from router.service.errors import Superseded
from router.service.rebuilding.compare import Reach, reach_of
from router.service.rebuilding.gate import is_behind
from router.service.rebuilding.rebuild import Found, Rebuilder, Rebuilt
from router.service.rebuilding.requeueing import requeueing
from router.store.rebuilds import Standing
from router.store.redis import RedisStore

_BEHIND = 1
_TAKEN = 3


@click.command()
@settings_option
@click.option("--pool", "pools", multiple=True, help="Only this pool; may be repeated. Default: all of the settings.")
@click.option("--dry-run", is_flag=True, help="Only say what the bus holds, and whether the store is behind it.")
@click.option("--yes", is_flag=True, help="Don't ask.")
def rebuild(settings_file: Path | None, *, pools: Sequence[str], dry_run: bool, yes: bool) -> None:
    """Make the state of pools anew from the bus. Routers do so by themselves when they find that the store has lost
    something; this is for when it has to be done all the same. Until it is done, nothing is assigned.

    Exit 0 when all is done (or, with --dry-run, no store is behind), 1 when a store is behind (--dry-run), 2 when
    store or bus can't be reached, 3 when another process is rebuilding.
    """
    settings = read_settings(settings_file)
    unknown = sorted(set(pools) - set(settings.pools))
    if unknown:
        refuse("nothing was rebuilt", tuple(f"--pool: the settings have no pool {name!r}" for name in unknown))
    codes = [_one(settings, PoolId(name), dry_run=dry_run, yes=yes) for name in pools or settings.pools]
    raise SystemExit(max(codes))


def _one(settings: Settings, pool: PoolId, *, dry_run: bool, yes: bool) -> int:
    # Who has said yes gets no count beforehand: it takes as long as half of the rebuild.
    behind = on_bus_and_store(settings, partial(_look, pool, is_count_wanted=dry_run or not yes))
    if dry_run:
        return _BEHIND if behind else 0
    if not yes:
        why = "" if behind else " It isn't behind: this would only cost time, and what is on no topic."
        click.confirm(f"All acts on pool {pool} stop until it is rebuilt.{why} Go on?", abort=True, err=True)

    async def run(bus: Bus, store: RedisStore) -> Rebuilt | None:
        return await (await _rebuilder(pool, bus, store)).run()

    try:
        rebuilt = on_bus_and_store(settings, run)
    except Superseded:
        rebuilt = None
    return _say_rebuilt(pool, rebuilt)


async def _look(pool: PoolId, bus: Bus, store: RedisStore, *, is_count_wanted: bool) -> bool:
    """Say what store and bus hold; whether the store is behind."""
    standing, reach = await store.rebuilds.inspect(pool), await reach_of(bus, pool)
    behind = is_behind(standing, reach) or standing.rebuild is not None
    if is_count_wanted:
        _say_found(pool, await (await _rebuilder(pool, bus, store)).find())
    _say_standing(pool, standing, reach)
    if (unrelayed := await _unrelayed(store, pool, standing)) and not behind:
        click.echo(f"{pool}: {unrelayed} acts aren't on the bus yet; a rebuild would lose them", err=True)
    return behind


async def _unrelayed(store: RedisStore, pool: PoolId, standing: Standing) -> int:
    """How many acts the store has that the relay has not brought to the bus yet."""
    if not standing.is_there:
        return 0
    status = await store.status(pool)
    return status.number - status.trimmed


async def _rebuilder(pool: PoolId, bus: Bus, store: RedisStore) -> Rebuilder:
    clock = SystemClock()
    tail = ConfigurationTail(bus, KeyTable(), clock=clock)
    await tail.read()
    if tail.rulebook is None:
        refuse("nothing was rebuilt", ("the bus holds no rulebook: no router has ever run on it",))
    return Rebuilder(
        pool,
        store.rebuilds,
        bus,
        clock=clock,
        holder=f"cli-{os.getpid()}-{secrets.token_hex(4)}",
        requeue=requeueing(Policies(tail.rulebook, tail.stored), clock),
        said=lambda step: click.echo(f"{pool}: {step}", err=True),
    )


def _say_found(pool: PoolId, found: Found) -> None:
    click.echo(f"{pool}: the bus knows {len(found.cases)} open cases and {len(found.advisors)} advisors", err=True)
    if found.damaged:
        click.echo(f"{pool}: {found.damaged} records can't be read and would be left out", err=True)


def _say_standing(pool: PoolId, standing: Standing, reach: Reach | None) -> None:
    has = f"{standing.gen}.{standing.number}" if standing.is_there and standing.gen else "nothing"
    click.echo(f"{pool}: the store has {has}, the bus {f'{reach.gen}.{reach.number}' if reach else 'nothing'}")
    if not is_behind(standing, reach):
        click.echo(f"{pool}: the store isn't behind")
    elif reach is not None and standing.gen == reach.gen:
        click.echo(f"{pool}: the store is behind by {reach.number - standing.number} entries")
    else:
        click.echo(f"{pool}: the store has lost everything of the last gen")


def _say_rebuilt(pool: PoolId, rebuilt: Rebuilt | None) -> int:
    if rebuilt is None:
        click.echo(f"{pool}: another process is rebuilding it", err=True)
        return _TAKEN
    click.echo(
        f"{pool}: rebuilt {rebuilt.cases} cases and {rebuilt.advisors} advisors in {rebuilt.seconds:.1f} s, "
        f"as gen {rebuilt.gen}; {rebuilt.requeued} requeued, {rebuilt.damaged} unreadable"
    )
    return 0
