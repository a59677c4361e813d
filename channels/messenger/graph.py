"""The Send API as a client sees it: one message a call, its answer or the reason why there is none."""

import asyncio
from collections.abc import Mapping
from typing import Final

import aiohttp
import msgspec
from aiohttp import FormData

from channels.messenger.errors import NoAnswer, Unreachable
from channels.messenger.options import MessengerOptions

_MAX_ANSWER_BYTES: Final = 1024 * 1024
_TOKEN_REFUSED: Final = 190


class GraphError(msgspec.Struct, frozen=True):
    code: int = 0
    error_subcode: int = 0


class SendAnswer(msgspec.Struct, frozen=True):
    """``error`` is there if the message was not taken."""

    message_id: str | None = None
    error: GraphError | None = None
    status: int = 200


_DECODER: Final = msgspec.json.Decoder(SendAnswer)
_ENCODER: Final = msgspec.json.Encoder()


class SendApi:
    """One page."""

    def __init__(self, options: MessengerOptions, http: aiohttp.ClientSession) -> None:
        self._url = f"{options.api_url.rstrip('/')}/me/messages"
        self._token = options.page_token
        self._proof = options.proof()
        self._http = http
        self._timeout_s = options.reply_timeout_s
        self.trouble = ""
        """Why the page can't answer just now; empty when all is well."""

    async def send(self, fields: Mapping[str, object] | FormData) -> SendAnswer:
        """Raises ``Unreachable`` or ``NoAnswer``."""
        headers = {"Authorization": f"Bearer {self._token.reveal()}"}
        data: bytes | FormData
        if isinstance(fields, FormData):
            data = fields
        else:
            data, headers["Content-Type"] = _ENCODER.encode(fields), "application/json"
        try:
            async with (
                asyncio.timeout(self._timeout_s),
                self._http.post(
                    self._url,
                    params={"appsecret_proof": self._proof},
                    data=data,
                    headers=headers,
                    allow_redirects=False,
                ) as response,
            ):
                answer = _answer(response.status, await _body(response))
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            raise Unreachable("no connection to the Graph API") from None
        except (aiohttp.ClientError, TimeoutError, OSError):
            raise NoAnswer("the Graph API did not answer") from None
        is_refused = answer.error is not None and answer.error.code == _TOKEN_REFUSED
        self.trouble = "the page's token is refused" if is_refused else ""
        return answer


async def _body(response: aiohttp.ClientResponse) -> bytes:
    """As much as an answer may have; what is longer can't be read and is no answer."""
    body = bytearray()
    async for chunk in response.content.iter_chunked(65_536):
        body += chunk
        if len(body) > _MAX_ANSWER_BYTES:
            break
    return bytes(body)


def _answer(status: int, body: bytes) -> SendAnswer:
    try:
        answer = _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        answer = SendAnswer()
    is_taken = 200 <= status < 300 and answer.error is None
    if is_taken and answer.message_id is None:
        raise NoAnswer(f"the Graph API answered {status} with something else")
    if not is_taken and answer.error is None and status >= 500:
        raise NoAnswer(f"the Graph API answered {status}")
    error = None if is_taken else answer.error or GraphError()
    return SendAnswer(message_id=answer.message_id, error=error, status=status)
