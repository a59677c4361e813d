"""The stand-in of a web site with a form, and of the customers who fill it in and read the answers.

There is no provider between the channel and its customers, so nothing can misbehave on the way out: a
customer simply looks again.
"""

import asyncio
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode

import aiohttp
import msgspec

from channels.kit.simulating import WRONG, Browser, spoilt
from channels.web_form.normalise import CHANNEL
from channels.web_form.simulator_reader import Reader
from router.runtime.simulators import (
    Answer,
    CustomerMessage,
    Defect,
    Entrance,
    Misbehaviour,
    ReceivedReply,
    Simulator,
)

SITE: Final = "https://shop.example"
_MAX_BYTES: Final = 1024 * 1024
_LOOK_S: Final = 0.05
_LOOK_EACH_S: Final = 0.003
_JSON: Final = "application/json"
_FORM: Final = "application/x-www-form-urlencoded"
_ENCODER: Final = msgspec.json.Encoder()

Fields = dict[str, str]


class WebFormSimulator:
    """One site with one form. The first message of a thread is filled in from its page, later ones from the
    page of the answers."""

    name = CHANNEL

    def __init__(self) -> None:
        self._account = ""
        self._url = ""
        self._browser = Browser()
        self._links: dict[str, str] = {}
        self._filled: dict[str, Fields] = {}
        self._readers: dict[str, Reader] = {}
        self._arrived: asyncio.Queue[ReceivedReply] = asyncio.Queue()
        self._refusals: list[str] = []

    async def start(self, account: str) -> Mapping[str, Any]:
        self._account = account
        self._browser.open()
        return {"origins": [SITE], "min_fill_s": 0, "max_bytes": _MAX_BYTES}

    async def enter(self, entrance: Entrance) -> None:
        self._url = f"{entrance.base_url}/{self._account}"

    async def send(self, message: CustomerMessage) -> Answer:
        fields = await self._fill(message)
        answer = await self._send(message, fields)
        if answer.accepted:
            self._links.setdefault(message.thread, msgspec.json.decode(answer.body)["thread"])
            reader = Reader(message.customer, message.thread, arrived=self._arrived, refusals=self._refusals)
            self._readers.setdefault(message.thread, reader)
        return answer

    async def send_defective(self, defect: Defect) -> Answer | None:
        ref = f"defective {len(self._filled)}"
        fields = await self._fill(CustomerMessage(ref=ref, customer="nobody", thread=ref, text=WRONG))
        if defect is Defect.BAD_SIGNATURE:
            fields = {**fields, "token": f"A{fields['token']}"}
        return await self.post(spoilt(_ENCODER.encode(fields), defect, max_bytes=_MAX_BYTES), _JSON)

    async def post(self, body: bytes | aiohttp.FormData, content_type: str | None) -> Answer:
        """Post this as a page of the site does. Raises ``ConnectionError`` when no answer comes."""
        headers = {"Origin": SITE, "Accept": _JSON}
        if content_type is not None:
            headers["Content-Type"] = content_type
        return await self._browser.post(self._url, body, headers)

    async def next_reply(self) -> ReceivedReply:
        while self._arrived.empty():
            for thread in list(self._readers):
                await self._look(thread)
            if self._arrived.empty():
                # Customers look now and then; many of them, each more rarely.
                await asyncio.sleep(_LOOK_S + _LOOK_EACH_S * len(self._readers))
        return self._arrived.get_nowait()

    def refusals(self) -> Sequence[str]:
        return tuple(self._refusals)

    def misbehave(self, ways: Sequence[Misbehaviour]) -> None:
        """Nobody is on the way who could."""

    async def close(self) -> None:
        await self._browser.close()

    async def _fill(self, message: CustomerMessage) -> Fields:
        """The form as it was filled in the first time: a repeat sends the very same."""
        if message.ref not in self._filled:
            fields = {"id": f"submission {message.ref}", "token": await self._token(), "name": message.customer}
            fields |= {"subject": message.subject, "message": message.text, "website": ""}
            if message.thread in self._links:
                fields["thread"] = self._links[message.thread]
            self._filled[message.ref] = fields
        return self._filled[message.ref]

    async def _send(self, message: CustomerMessage, fields: Fields) -> Answer:
        """With files as a browser does; else one half of the pages sends JSON, the other a plain form."""
        if message.files:
            form = aiohttp.FormData(quote_fields=False)
            for name, value in fields.items():
                form.add_field(name, value)
            for file in message.files:
                form.add_field("files", file.data, filename=file.name, content_type=file.media_type)
            return await self.post(form, None)
        if zlib.crc32(message.ref.encode()) % 2:
            return await self.post(urlencode(fields).encode(), _FORM)
        return await self.post(_ENCODER.encode(fields), _JSON)

    async def _token(self) -> str:
        try:
            async with self._browser.http.get(f"{self._url}/token", headers={"Origin": SITE}) as response:
                return str((await response.json())["token"])
        except (aiohttp.ClientError, TimeoutError) as exc:
            raise ConnectionError(f"no answer from {self._url}") from exc

    async def _look(self, thread: str) -> None:
        url = f"{self._url}/answers/{self._links[thread]}"
        try:
            async with self._browser.http.get(url, headers={"Accept": _JSON}) as response:
                self._readers[thread].look(response.status, response.headers, await response.read())
        except (aiohttp.ClientError, TimeoutError):
            return  # the service is away: he looks again


def simulator() -> Simulator:
    """The entry point's factory."""
    return WebFormSimulator()
