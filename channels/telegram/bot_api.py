"""The Bot API as a client sees it: one method a call, its answer or the reason why there is none."""

import re
from collections.abc import AsyncIterator, Mapping
from typing import Final
from urllib.parse import quote

import aiohttp
import msgspec
from aiohttp import FormData

from channels.kit.failures import FileRefused, NoAnswer
from channels.kit.provider_call import ProviderCall, RawAnswer
from channels.telegram.options import TelegramOptions

_PATH: Final = re.compile(r"[\w./-]{1,500}", re.ASCII)


class Parameters(msgspec.Struct, frozen=True):
    retry_after: int | None = None
    migrate_to_chat_id: int | None = None


class Result(msgspec.Struct, frozen=True):
    """What we read of any method's result."""

    message_id: int | None = None
    file_path: str | None = None
    file_size: int | None = None


class BotAnswer(msgspec.Struct, frozen=True):
    """``error_code`` and the rest are there if not ``ok``."""

    ok: bool
    result: Result | bool | None = None
    error_code: int = 0
    description: str = ""
    parameters: Parameters | None = None

    def known(self) -> Result:
        """The result, empty if it is of another kind."""
        return self.result if isinstance(self.result, Result) else Result()


_DECODER: Final = msgspec.json.Decoder(BotAnswer)


class BotApi:
    """One bot. The token is in every address, so no error of the client goes on from here."""

    def __init__(self, options: TelegramOptions, http: aiohttp.ClientSession) -> None:
        self._root = options.api_url.rstrip("/")
        self._token = options.token
        self._http = http
        self._call = ProviderCall(http, api="Bot API", timeout_s=options.reply_timeout_s)
        self.trouble = ""
        """Why the bot can't work just now; empty when all is well."""

    async def call(self, method: str, fields: Mapping[str, object] | FormData) -> BotAnswer:
        """Raises ``Unreachable`` or ``NoAnswer``."""
        answer = _answer(await self._call.post(f"{self._root}/bot{self._token.reveal()}/{method}", fields))
        self.trouble = "the bot's token is refused" if answer.error_code in (401, 404) else ""
        return answer

    async def download(self, file_path: str) -> AsyncIterator[bytes]:
        """The bytes of a file that ``getFile`` gave the path of. Raises ``FileRefused`` or ``NoAnswer``."""
        if not _PATH.fullmatch(file_path) or ".." in file_path:
            raise FileRefused("the path of the file is not one to ask for")
        url = f"{self._root}/file/bot{self._token.reveal()}/{quote(file_path)}"
        try:
            async with self._http.get(url, allow_redirects=False) as response:
                if response.status in (400, 404, 410):
                    raise FileRefused("the file is not there any more")
                if response.status != 200:
                    raise NoAnswer(f"the file server answered {response.status}")
                async for chunk in response.content.iter_chunked(65_536):
                    yield chunk
        except (aiohttp.ClientError, TimeoutError, OSError):
            raise NoAnswer("the file did not come") from None


def _answer(raw: RawAnswer) -> BotAnswer:
    status, body = raw.status, raw.body
    try:
        answer = _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # A proxy in between speaks no Bot API; its code says enough.
        if 200 <= status < 300 or status >= 500:
            raise NoAnswer(f"the Bot API answered {status} with something else") from None
        return BotAnswer(ok=False, error_code=status)
    if answer.ok or answer.error_code:
        return answer
    return BotAnswer(ok=False, error_code=status, description=answer.description, parameters=answer.parameters)
