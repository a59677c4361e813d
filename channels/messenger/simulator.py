"""The stand-in of Messenger: delivers signed events of a page, and is the Send API to it."""

import secrets
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from channels.kit.signatures import META, Part, sign
from channels.kit.simulating import WRONG, ChatOf, HttpSimulator, spoilt
from channels.messenger.normalise import CHANNEL
from channels.messenger.options import MessengerOptions
from channels.messenger.simulator_send_api import SendDesk, desk_app
from router.runtime.clock import SystemClock
from router.runtime.secret import Secret
from router.runtime.simulators import (
    Answer,
    CustomerFile,
    CustomerMessage,
    Defect,
    Simulator,
)

_OVERSIZE_BYTES: Final = 5 * 1024 * 1024
_PAGE: Final = "1908"
_ENCODER: Final = msgspec.json.Encoder()


class MessengerSimulator(HttpSimulator):
    """Messenger for one page. Every thread of the teller is one person's chat with it."""

    name = CHANNEL

    def __init__(self) -> None:
        self._clock = SystemClock()
        self._options = {
            "page_id": _PAGE,
            "page_token": secrets.token_urlsafe(32),
            "app_secrets": [secrets.token_hex(16)],
            "verify_token": secrets.token_urlsafe(16),
        }
        self.desk = SendDesk(
            MessengerOptions(
                page_id=_PAGE,
                page_token=Secret(str(self._options["page_token"])),
                app_secrets=tuple(Secret(each) for each in self._options["app_secrets"]),
                verify_token=Secret(str(self._options["verify_token"])),
            )
        )
        super().__init__(self.desk)

    async def start(self, account: str) -> Mapping[str, Any]:
        await self._open(account, desk_app(self.desk))
        return {**self._options, "api_url": self._port.url, "allow_private": True}

    async def send(self, message: CustomerMessage) -> Answer:
        return await self.post(delivery(self.event(message)))

    async def send_defective(self, defect: Defect) -> Answer | None:
        ref = f"defective {len(self._numbers)}"
        body = delivery(self.event(CustomerMessage(ref=ref, customer="nobody", thread="none", text=WRONG)))
        secret = secrets.token_hex(16) if defect is Defect.BAD_SIGNATURE else None
        return await self.post(spoilt(body, defect, max_bytes=_OVERSIZE_BYTES), secret=secret)

    async def post(self, body: bytes, *, secret: str | None = None) -> Answer:
        """Post these bytes, signed. Raises ``ConnectionError`` when no answer comes."""
        key = (secret or self._options["app_secrets"][0]).encode()
        headers = {
            "Content-Type": "application/json",
            "X-Hub-Signature-256": sign(META, [key], {Part.BODY: body}),
        }
        return await self._browser.post(self._url, body, headers)

    def event(self, message: CustomerMessage) -> dict[str, object]:
        """A customer's message as it stands in a delivery; he may be answered from now on."""
        person = str(7_000_000 + self._number(f"chat {message.thread}"))
        self.desk.chats[person] = ChatOf(message.customer, message.thread)
        said: dict[str, object] = {"mid": f"m_{message.ref}", "text": message.text}
        if message.files:
            said["attachments"] = [
                self._attachment(file, f"{message.ref}-{index}") for index, file in enumerate(message.files)
            ]
        return {
            "sender": {"id": person},
            "recipient": {"id": _PAGE},
            "timestamp": self._clock.now_ms(),
            "message": said,
        }

    def _attachment(self, file: CustomerFile, key: str) -> dict[str, object]:
        number = str(self._number(f"file {key}"))
        self.desk.files[number] = file
        kind = file.media_type.partition("/")[0]
        return {
            "type": kind if kind in ("image", "audio", "video") else "file",
            "payload": {"url": f"{self._port.url}/files/{number}/{file.name}"},
        }


def delivery(*events: dict[str, object]) -> bytes:
    """The body of one delivery."""
    return _ENCODER.encode({"object": "page", "entry": [{"id": _PAGE, "time": 0, "messaging": events}]})


def simulator() -> Simulator:
    """The entry point's factory."""
    return MessengerSimulator()
