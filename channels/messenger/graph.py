"""The Send API as a client sees it: one message a call, its answer or the reason why there is none."""

from collections.abc import Mapping
from typing import Final

import aiohttp
import msgspec
from aiohttp import FormData

from channels.kit.failures import NoAnswer
from channels.kit.provider_call import ProviderCall, RawAnswer
from channels.messenger.options import MessengerOptions

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


class SendApi:
    """One page."""

    def __init__(self, options: MessengerOptions, http: aiohttp.ClientSession) -> None:
        self._url = f"{options.api_url.rstrip('/')}/me/messages"
        self._token = options.page_token
        self._proof = options.proof()
        self._call = ProviderCall(http, api="Graph API", timeout_s=options.reply_timeout_s)
        self.trouble = ""
        """Why the page can't answer just now; empty when all is well."""

    async def send(self, fields: Mapping[str, object] | FormData) -> SendAnswer:
        """Raises ``Unreachable`` or ``NoAnswer``."""
        headers = {"Authorization": f"Bearer {self._token.reveal()}"}
        answer = _answer(
            await self._call.post(self._url, fields, params={"appsecret_proof": self._proof}, headers=headers)
        )
        is_refused = answer.error is not None and answer.error.code == _TOKEN_REFUSED
        self.trouble = "the page's token is refused" if is_refused else ""
        return answer


def _answer(raw: RawAnswer) -> SendAnswer:
    status, body = raw.status, raw.body
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
