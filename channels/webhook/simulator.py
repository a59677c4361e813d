"""The stand-in of a customer's own system: posts signed messages, takes replies."""

import asyncio
import base64
import io
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Final

import aiohttp
import msgspec
from aiohttp import web

from channels.kit.signatures import standard_headers, standard_secret
from channels.webhook.normalise import CHANNEL
from channels.webhook.simulator_desk import ReplyDesk, desk_app
from router.contract.codec import rfc3339
from router.runtime.clock import SystemClock
from router.runtime.simulators import (
    Answer,
    CustomerMessage,
    Defect,
    Entrance,
    Misbehaviour,
    ReceivedReply,
    Simulator,
)

_MAX_BYTES: Final = 1_048_576
_ENCODER: Final = msgspec.json.Encoder()


class WebhookSimulator:
    """One customer's system, for one account."""

    name = CHANNEL

    def __init__(self) -> None:
        self._clock = SystemClock()
        self._own_secret = _new_secret()
        self._reply_secret = _new_secret()
        self._key = standard_secret(self._own_secret)
        self.desk = ReplyDesk([standard_secret(self._reply_secret)], clock=self._clock)
        self._account = ""
        self._url = ""
        self._runner: web.AppRunner | None = None
        self._http: aiohttp.ClientSession | None = None
        self._defects = 0

    async def start(self, account: str) -> Mapping[str, Any]:
        self._account = account
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30))
        self._runner = web.AppRunner(desk_app(self.desk), access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        port = self._runner.addresses[0][1]
        return {
            "secrets": [self._own_secret],
            "reply_secrets": [self._reply_secret],
            "reply_url": f"http://127.0.0.1:{port}/replies",
            "allow_private": True,
            "max_bytes": _MAX_BYTES,
        }

    async def enter(self, entrance: Entrance) -> None:
        self._url = f"{entrance.base_url}/{self._account}"

    async def send(self, message: CustomerMessage) -> Answer:
        conversation = f"conversation of {message.thread}"
        self.desk.known[conversation] = (message.customer, message.thread)
        return await self.post(message.ref, _document(message, conversation, self._clock.now_ms()))

    async def send_defective(self, defect: Defect) -> Answer | None:
        self._defects += 1
        ref = f"defective-{self._defects}"
        message = CustomerMessage(ref=ref, customer="nobody", thread="none", text="wrong")
        body = _document(message, "none", self._clock.now_ms())
        match defect:
            case Defect.BAD_SIGNATURE:
                return await self.post(ref, body, key=standard_secret(_new_secret()))
            case Defect.MALFORMED:
                return await self.post(ref, body[:-2])
            case Defect.OVERSIZE:
                return await self.post(ref, body + b" " * _MAX_BYTES)
            case Defect.NOT_TEXT:
                return await self.post(ref, body.replace(b"wrong", b"\xff\xfe\xfd"))

    async def post(self, id_: str, body: bytes, *, key: bytes | None = None) -> Answer:
        """Post these bytes, signed. Raises ``ConnectionError`` when no answer comes."""
        assert self._http is not None, "start first"
        headers = standard_headers([key or self._key], id_=id_, now_ms=self._clock.now_ms(), body=body)
        headers["Content-Type"] = "application/json"
        try:
            async with self._http.post(self._url, data=io.BytesIO(body), headers=headers) as response:
                text = await response.text(errors="replace")
                return Answer(accepted=200 <= response.status < 300, code=str(response.status), body=text)
        except (aiohttp.ClientError, TimeoutError) as exc:
            raise ConnectionError(f"no answer from {self._url}") from exc

    async def next_reply(self) -> ReceivedReply:
        return await self.desk.arrived.get()

    def refusals(self) -> Sequence[str]:
        return tuple(self.desk.refusals)

    def misbehave(self, ways: Sequence[Misbehaviour]) -> None:
        self.desk.misbehave(ways)

    async def close(self) -> None:
        self.desk.close()
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()
        http, self._http = self._http, None
        if http is not None:
            await http.close()
            await asyncio.sleep(0)  # the connector's transports close on the loop's next turn


def _document(message: CustomerMessage, conversation: str, now_ms: int) -> bytes:
    files = [
        {
            "name": file.name,
            "media_type": file.media_type,
            "content_base64": base64.b64encode(file.data).decode(),
        }
        for file in message.files
    ]
    return _ENCODER.encode(
        {
            "id": message.ref,
            "conversation": conversation,
            "from": {"id": message.customer, "name": message.customer},
            "text": message.text,
            "subject": message.subject,
            "attachments": files,
            "sent_at": rfc3339(now_ms),
        }
    )


def _new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def simulator() -> Simulator:
    """The entry point's factory."""
    return WebhookSimulator()
