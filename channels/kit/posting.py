"""A POST to an address from the settings, and what its answer means."""

import asyncio
import io
from collections.abc import Mapping
from typing import Final, NamedTuple

import aiohttp

from channels.kit.outbound import AddressRefused, destination
from router.runtime.errors import SendLater
from router.runtime.plugins import Host, SendResult, failed, sent

# Of the 4xx those that say "not now"; the rest say "never".
_PASSING: Final = frozenset({408, 409, 421, 425, 429})
_LONGEST_WISH_S: Final = 3600


class Letterbox(NamedTuple):
    """Where to post to. ``name`` is what the receiver is called in reasons, ``setting`` what holds the address."""

    url: str
    timeout_s: float
    allow_private: bool
    name: str
    setting: str


async def post(box: Letterbox, body: bytes, headers: Mapping[str, str], host: Host) -> SendResult:
    """Post JSON. 2xx is sent. What may pass (no connection, 408, 409, 421, 425, 429, 5xx) raises ``SendLater``. Any
    other answer is failed, a redirect too: what is meant for one place goes to no other."""
    try:
        async with asyncio.timeout(box.timeout_s):
            place = await destination(box.url, allow_private=box.allow_private)
            async with host.http.post(
                place.url,
                data=io.BytesIO(body),
                headers={**headers, **place.headers, "Content-Type": "application/json"},
                server_hostname=place.server_hostname,
                allow_redirects=False,
            ) as response:
                return _result(response.status, response.headers.get("Retry-After"), box.name)
    except AddressRefused:
        return failed(f"{box.setting} leads to an address that is not public; see allow_private")
    except aiohttp.ClientConnectorError:
        raise SendLater(f"{box.name} did not answer") from None
    except (aiohttp.ClientError, TimeoutError, OSError):
        raise SendLater(f"{box.name} did not answer", may_have_arrived=True) from None


def _result(status: int, retry_after: str | None, name: str) -> SendResult:
    if 200 <= status < 300:
        return sent()
    if status in _PASSING or status >= 500:
        raise SendLater(f"{name} answered {status}", wished_s(retry_after))
    return failed(f"{name} answered {status}")


def wished_s(retry_after: str | None) -> float | None:
    """The pause that a ``Retry-After`` asks for, an hour at most; None for none, or one that isn't in seconds."""
    if retry_after is None or not (retry_after.isascii() and retry_after.isdigit()):
        return None
    return float(min(int(retry_after[:9]), _LONGEST_WISH_S))
