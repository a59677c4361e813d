"""What commands share that ask the running service's API: the address, the key, one question."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import aiohttp
import click

from router.cli.given import read_settings, refuse
from router.runtime import run_file
from router.runtime.settings.model import Settings

_TIMEOUT_S = 10
_LONG_S = 600

key_option: Callable[[Callable[..., None]], Callable[..., None]] = click.option(
    "--key", envvar="TURNOUT_KEY", help="A key of `turnout keys create`. Or TURNOUT_KEY."
)
url_option: Callable[[Callable[..., None]], Callable[..., None]] = click.option(
    "--url", help="Base URL of the API. Default: that of the process on data_dir, else http.api_url."
)


def address(url: str | None, settings_file: Path | None) -> Callable[[], str]:
    """Where the API is: asked anew for each connection, since a restarted service may have another port. Exit 2 when
    nothing is known of it."""
    if url is not None:
        if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
            refuse("there is no such address", (f"--url: {url!r} is not like http://host:port",))
        return lambda: url
    settings = read_settings(settings_file)
    first = _found(settings)
    if first is None:
        nothing = (
            f"nothing runs on data_dir {settings.data_dir}: start it with `turnout up`, or name --settings or --url"
        )
        refuse("the service isn't running", (nothing,))
    return lambda: _found(settings) or first


def ask(where: Callable[[], str], key: str | None, path: str, *, body: bytes | None = None) -> dict[str, Any]:
    """What the API answers, to a ``body`` of JSON if there is one: that may take minutes. Exit 2 with its own words
    when it refuses, or when it doesn't answer."""
    if not key or not key.strip():
        refuse("nobody to ask for", ("--key KEY, or TURNOUT_KEY: `turnout keys create --role supervisor` makes one",))
    url = where()
    try:
        status, found = asyncio.run(_ask(f"{url.rstrip('/')}{path}", key.strip(), body))
    except (aiohttp.ClientError, TimeoutError, ValueError) as exc:
        refuse("the API doesn't answer", (f"{url}: {exc or type(exc).__name__}",))
    if status == 401:
        refuse("the API refuses the key", ("it isn't one in force: `turnout keys list` shows those that are",))
    if status != 200:
        refuse("the API refuses", (str(found.get("detail") or found.get("title") or status),))
    return found


def case_path(case: str, rest: str = "") -> str:
    """The address of a case, or of something of it."""
    return f"/v1/cases/{quote(case, safe='')}{rest}"


async def _ask(url: str, key: str, body: bytes | None) -> tuple[int, dict[str, Any]]:
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S if body is None else _LONG_S)
    method = "GET" if body is None else "POST"
    async with (
        aiohttp.ClientSession(timeout=timeout) as http,
        http.request(method, url, data=body, headers={"Authorization": f"Bearer {key}"}) as answer,
    ):
        return answer.status, await answer.json(content_type=None)


def _found(settings: Settings) -> str | None:
    running = run_file.read(Path(settings.data_dir))
    return (running.api if running else "") or settings.http.api_url
