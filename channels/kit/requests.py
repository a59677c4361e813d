"""From a request of aiohttp to what the verifier looks at."""

from aiohttp import web

from channels.kit.signatures import Received


def received(request: web.Request, body: bytes, *, public_url: str = "") -> Received:
    """The request with its headers as they came, doubles included; ``public_url`` where the scheme signs it."""
    return Received(
        headers=tuple((name, value) for name, value in request.headers.items()),
        body=body,
        method=request.method,
        url=public_url,
    )
