"""The HTTP client that all channels share."""

from types import SimpleNamespace
from typing import Final
from urllib.parse import urljoin, urlsplit

import aiohttp

_CONNECTIONS: Final = 200
_CONNECTIONS_A_HOST: Final = 50
_TOTAL_S: Final = 25.0
_CONNECT_S: Final = 10.0


def client_session() -> aiohttp.ClientSession:
    """Connections are bounded, every request ends in time, no cookies are kept, and a redirect to
    another host raises ``aiohttp.ClientError``: what is signed or secret goes nowhere else."""
    trace = aiohttp.TraceConfig()
    trace.on_request_redirect.append(_stay)
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=_CONNECTIONS, limit_per_host=_CONNECTIONS_A_HOST),
        timeout=aiohttp.ClientTimeout(total=_TOTAL_S, connect=_CONNECT_S),
        cookie_jar=aiohttp.DummyCookieJar(),
        trace_configs=[trace],
        trust_env=False,
    )


async def _stay(
    _session: aiohttp.ClientSession, _context: SimpleNamespace, params: aiohttp.TraceRequestRedirectParams
) -> None:
    asked = str(params.response.url)
    target = params.response.headers.get("Location") or params.response.headers.get("URI") or ""
    if urlsplit(urljoin(asked, target))[:2] != urlsplit(asked)[:2]:
        host = params.response.url.origin()
        raise aiohttp.InvalidUrlRedirectClientError(host, "a redirect to another host is not followed")
