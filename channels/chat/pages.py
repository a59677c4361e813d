"""The widget's script, and a page to try it on. Both are files of this package, the same for all accounts."""

import hashlib
from importlib import resources
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

_FOLDER: Final = "widget"
_MAX_AGE_S: Final = 300


class Page:
    """One file, read once."""

    def __init__(self, name: str, media_type: str, headers: dict[str, str]) -> None:
        self._body = resources.files(__package__).joinpath(_FOLDER, name).read_bytes()
        etag = hashlib.sha256(self._body).hexdigest()[:32]
        self._headers = {
            "Content-Type": f"{media_type}; charset=utf-8",
            "Cache-Control": f"public, max-age={_MAX_AGE_S}",
            "ETag": f'"{etag}"',
            **headers,
        }

    def answer(self, request: web.Request) -> web.Response:
        if self._headers["ETag"] in request.headers.get("If-None-Match", ""):
            return web.Response(status=304, headers=self._headers)
        return web.Response(body=self._body, headers=self._headers)


def widget_page() -> Page:
    """The script: any site may load it, what it may do is for the socket to say."""
    return Page("widget.js", "text/javascript", {"Cross-Origin-Resource-Policy": "cross-origin"})


def demo_page(base_url: str) -> Page:
    """The page, as strict as a careful site would be: the widget has to live with it."""
    url = urlsplit(base_url)
    socket = f"{'wss' if url.scheme == 'https' else 'ws'}://{url.netloc}"
    policy = (
        f"default-src 'none'; script-src 'self'; connect-src 'self' {socket}; style-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return Page("demo.html", "text/html", {"Content-Security-Policy": policy, "Referrer-Policy": "no-referrer"})
