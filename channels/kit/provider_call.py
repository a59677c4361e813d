"""One call of a provider's HTTP API: its answer, or the reason why there is none."""

import asyncio
from collections.abc import Mapping
from typing import Final, NamedTuple

import aiohttp
import msgspec
from aiohttp import FormData

from channels.kit.failures import NoAnswer, Unreachable
from channels.kit.posting import wished_s

_MAX_ANSWER_BYTES: Final = 1024 * 1024
_ENCODER: Final = msgspec.json.Encoder()


class RawAnswer(NamedTuple):
    """``body`` is cut off where no answer of an API is so long: it can't be read then. ``retry_after_s`` is the pause
    that the API asks for."""

    status: int
    body: bytes
    retry_after_s: float | None = None


class ProviderCall:
    """Calls of one API by one account. ``api`` is its name in the errors, which never hold the address: some
    providers put the account's token there."""

    def __init__(self, http: aiohttp.ClientSession, *, api: str, timeout_s: float) -> None:
        self._http = http
        self._api = api
        self._timeout_s = timeout_s

    async def post(
        self,
        url: str,
        fields: Mapping[str, object] | FormData,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> RawAnswer:
        """Post fields as JSON, or a form; redirects aren't followed. Raises ``Unreachable`` or ``NoAnswer``."""
        data, kind = _payload(fields)
        try:
            async with (
                asyncio.timeout(self._timeout_s),
                self._http.post(
                    url, params=params, data=data, headers={**(headers or {}), **kind}, allow_redirects=False
                ) as response,
            ):
                wished = wished_s(response.headers.get("Retry-After"))
                return RawAnswer(response.status, await _body(response), wished)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            raise Unreachable(f"no connection to the {self._api}") from None
        except (aiohttp.ClientError, TimeoutError, OSError):
            raise NoAnswer(f"the {self._api} did not answer") from None


def _payload(fields: Mapping[str, object] | FormData) -> tuple[bytes | FormData, dict[str, str]]:
    if isinstance(fields, FormData):
        return fields, {}
    return _ENCODER.encode(fields), {"Content-Type": "application/json"}


async def _body(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_chunked(65_536):
        body += chunk
        if len(body) > _MAX_ANSWER_BYTES:
            break
    return bytes(body)
