"""``turnout dead-letters``: what could not be handled, and what is to become of it."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click
import msgspec

from router.cli.given import read_settings, refuse, settings_option
from router.cli.letter_text import line, since_ms, summary, whole
from router.cli.running import on_bus
from router.contract.codec import rfc3339
from router.runtime.bus.protocol import Bus
from router.runtime.clock import SystemClock
from router.runtime.dead_letters import Letter, Settled
from router.runtime.errors import RecordRefused
from router.service.reading.letter_box import Found, LetterBox, Wanted

_FILTERS = (
    click.option("--id", "ids", multiple=True, help="Only this letter; may be repeated."),
    click.option("--topic", default="", help="Only of topics with this in their name."),
    click.option("--reason", default="", help="Only with this in the reason."),
    click.option("--key", default="", help="Only of this key: of an inquiry, its conversation."),
    click.option("--since", default="", help="Only from then on: a span (30m, 2h, 7d) or a moment (RFC 3339)."),
)
_CARE = (
    click.option("--all", "everything", is_flag=True, help="All letters; without a filter this must be said."),
    click.option("--dry-run", is_flag=True, help="Only say which letters it would be."),
    click.option("--yes", is_flag=True, help="Don't ask."),
)
_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def _options(*options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def add(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return add


@click.group(name="dead-letters")
def dead_letters() -> None:
    """List, show, replay and drop dead letters: records that could not be handled, with the reason."""


@dead_letters.command(name="list")
@settings_option
@_options(*_FILTERS)
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1), help="At most so many.")
@_as_json
def list_(settings_file: Path | None, limit: int, *, as_json: bool, **filters: Any) -> None:
    """List the letters that are neither replayed nor dropped, in the order in which their records lay."""
    letters = _find(settings_file, filters).letters
    shown = letters[:limit]
    if as_json:
        click.echo(msgspec.json.encode([summary(letter) for letter in shown]))
        return
    if not letters:
        click.echo("no dead letters", err=True)
    for letter in shown:
        click.echo(line(letter))
    if len(letters) > len(shown):
        click.echo(f"and {len(letters) - len(shown)} more: --limit", err=True)


@dead_letters.command()
@settings_option
@click.argument("letter_id")
@_as_json
def show(settings_file: Path | None, letter_id: str, *, as_json: bool) -> None:
    """Show a letter with its headers and its value, which may hold a customer's message."""
    (letter,) = _those(_find(settings_file, {"ids": (letter_id,)}), (letter_id,))
    if as_json:
        click.echo(msgspec.json.encode(whole(letter)))
        return
    for name, value in whole(letter).items():
        click.echo(f"{name}: {value}")


@dead_letters.command()
@settings_option
@_options(*_FILTERS, *_CARE)
@_as_json
def replay(settings_file: Path | None, **given: Any) -> None:
    """Put letters back on the topics that they came from, as they were. Whoever handled their records before knows
    them by their ids."""
    _settle(settings_file, Settled.REPLAYED, **given)


@dead_letters.command()
@settings_option
@_options(*_FILTERS, *_CARE)
@_as_json
def drop(settings_file: Path | None, **given: Any) -> None:
    """Put letters away for good."""
    _settle(settings_file, Settled.DROPPED, **given)


def _settle(
    settings_file: Path | None,
    outcome: Settled,
    *,
    everything: bool,
    dry_run: bool,
    yes: bool,
    as_json: bool,
    **filters: Any,
) -> None:
    if not everything and not any(filters.values()):
        refuse(f"nothing was {outcome}", ("name letters by --id or another filter, or say --all",))
    letters = _those(_find(settings_file, filters), filters["ids"])
    if not dry_run and not yes:
        for letter in letters:
            click.echo(line(letter), err=True)
        click.confirm(f"{len(letters)} to be {outcome}: go on?", abort=True, err=True)
    done, refused = ([], []) if dry_run else _do(settings_file, letters, outcome)
    if as_json:
        ids = [letter.id for letter in (letters if dry_run else done)]
        click.echo(msgspec.json.encode({"dry_run": dry_run, outcome.value: ids, "refused": refused}))
    else:
        for letter in letters if dry_run else done:
            click.echo(f"{'would be ' if dry_run else ''}{outcome}: {letter.id}")
    if refused:
        refuse(f"not all were {outcome}", tuple(refused))


def _do(settings_file: Path | None, letters: Sequence[Letter], outcome: Settled) -> tuple[list[Letter], list[str]]:
    """Those that were settled, and why others were not."""
    done: list[Letter] = []
    refused: list[str] = []

    async def settle(bus: Bus) -> None:
        box = LetterBox(bus)
        for letter in letters:
            try:
                await (box.replay(letter) if outcome is Settled.REPLAYED else box.drop(letter))
            except (ValueError, RecordRefused) as exc:
                refused.append(str(exc))
            else:
                done.append(letter)

    on_bus(read_settings(settings_file), settle)
    return done, refused


def _find(settings_file: Path | None, filters: dict[str, Any]) -> Found:
    given = dict(filters)
    since = given.pop("since", "")
    try:
        from_ms = since_ms(since, now_ms=SystemClock().now_ms()) if since else 0
    except ValueError as exc:
        refuse("nothing was looked for", (f"--since: {exc}",))
    wanted = Wanted(**{**given, "ids": frozenset(given.get("ids", ()))}, since_ms=from_ms)
    return on_bus(read_settings(settings_file), lambda bus: LetterBox(bus).find(wanted))


def _those(found: Found, ids: Sequence[str]) -> Sequence[Letter]:
    """The letters found; refused when one that was named isn't open, or none is left."""
    missing = set(ids) - {letter.id for letter in found.letters}
    known = {note.letter: f"{note.letter} was {note.outcome} at {rfc3339(note.at_ms)}" for note in found.settled}
    problems = tuple(known.get(name, f"there is no letter {name}: `turnout dead-letters list`") for name in missing)
    if problems or not found.letters:
        refuse("nothing was done", problems or ("no letter is open that fits",))
    return found.letters
