"""From a request of aiohttp to what the verifier looks at."""

from aiohttp import web

from channels.kit.signatures import Received


def received(request: web.Request, body: bytes) -> Received:
    """The request with its headers as they came, doubles included. Its public address, which some schemes sign, is
    not in it: behind a proxy nobody here knows it."""
    return Received(
        headers=tuple((name, value) for name, value in request.headers.items()),
        body=body,
        method=request.method,
    )
