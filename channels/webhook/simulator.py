"""The stand-in of a customer's own system: posts signed messages, takes replies."""

import base64
import secrets
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from channels.kit.signatures import standard_headers, standard_secret
from channels.kit.simulating import WRONG, HttpSimulator, spoilt
from channels.webhook.normalise import CHANNEL
from channels.webhook.simulator_desk import ReplyDesk, desk_app
from router.contract.codec import rfc3339
from router.runtime.clock import SystemClock
from router.runtime.simulators import (
    Answer,
    CustomerMessage,
    Defect,
    Simulator,
)

_MAX_BYTES: Final = 1_048_576
_ENCODER: Final = msgspec.json.Encoder()


class WebhookSimulator(HttpSimulator):
    """One customer's system, for one account."""

    name = CHANNEL

    def __init__(self) -> None:
        self._clock = SystemClock()
        self._own_secret = _new_secret()
        self._reply_secret = _new_secret()
        self._key = standard_secret(self._own_secret)
        self.desk = ReplyDesk([standard_secret(self._reply_secret)], clock=self._clock)
        super().__init__(self.desk)
        self._defects = 0

    async def start(self, account: str) -> Mapping[str, Any]:
        await self._open(account, desk_app(self.desk))
        return {
            "secrets": [self._own_secret],
            "reply_secrets": [self._reply_secret],
            "reply_url": f"{self._port.url}/replies",
            "allow_private": True,
            "max_bytes": _MAX_BYTES,
        }

    async def send(self, message: CustomerMessage) -> Answer:
        conversation = f"conversation of {message.thread}"
        self.desk.known[conversation] = (message.customer, message.thread)
        return await self.post(message.ref, _document(message, conversation, self._clock.now_ms()))

    async def send_defective(self, defect: Defect) -> Answer | None:
        self._defects += 1
        ref = f"defective-{self._defects}"
        message = CustomerMessage(ref=ref, customer="nobody", thread="none", text=WRONG)
        body = _document(message, "none", self._clock.now_ms())
        key = standard_secret(_new_secret()) if defect is Defect.BAD_SIGNATURE else None
        return await self.post(ref, spoilt(body, defect, max_bytes=_MAX_BYTES), key=key)

    async def post(self, id_: str, body: bytes, *, key: bytes | None = None) -> Answer:
        """Post these bytes, signed. Raises ``ConnectionError`` when no answer comes."""
        headers = standard_headers([key or self._key], id_=id_, now_ms=self._clock.now_ms(), body=body)
        headers["Content-Type"] = "application/json"
        return await self._browser.post(self._url, body, headers)


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
