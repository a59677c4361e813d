"""The stand-in of Telegram: sends updates to a bot's webhook, and is the Bot API to it."""

import secrets
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from channels.kit.simulating import WRONG, ChatOf, HttpSimulator, spoilt
from channels.telegram.normalise import CHANNEL
from channels.telegram.simulator_bot_api import BotDesk, desk_app
from router.runtime.clock import SystemClock
from router.runtime.simulators import (
    Answer,
    CustomerFile,
    CustomerMessage,
    Defect,
    Simulator,
)

_OVERSIZE_BYTES: Final = 2 * 1024 * 1024
_ENCODER: Final = msgspec.json.Encoder()


class TelegramSimulator(HttpSimulator):
    """Telegram for one bot. Every thread of the teller is a chat."""

    name = CHANNEL

    def __init__(self) -> None:
        self._clock = SystemClock()
        self._token = f"{secrets.randbelow(10**9)}:{secrets.token_urlsafe(26)}"
        self._secret = secrets.token_urlsafe(24)
        self.desk = BotDesk(self._token)
        super().__init__(self.desk)

    async def start(self, account: str) -> Mapping[str, Any]:
        await self._open(account, desk_app(self.desk))
        return {
            "token": self._token,
            "secret_tokens": [self._secret],
            "api_url": self._port.url,
            "allow_private": True,
        }

    async def send(self, message: CustomerMessage) -> Answer:
        """A message with several files is several messages, as in Telegram; the first holds the text."""
        answer = await self.post(self._update(message, 0))
        for index in range(1, len(message.files)):
            if not answer.accepted:
                return answer
            answer = await self.post(self._update(message, index))
        return answer

    async def send_defective(self, defect: Defect) -> Answer | None:
        ref = f"defective {len(self._numbers)}"
        body = self._update(CustomerMessage(ref=ref, customer="nobody", thread="none", text=WRONG), 0)
        secret = secrets.token_urlsafe(24) if defect is Defect.BAD_SIGNATURE else None
        return await self.post(spoilt(body, defect, max_bytes=_OVERSIZE_BYTES), secret=secret)

    async def post(self, body: bytes, *, secret: str | None = None) -> Answer:
        """Post these bytes as Telegram does. Raises ``ConnectionError`` when no answer comes."""
        headers = {
            "Content-Type": "application/json",
            "X-Telegram-Bot-Api-Secret-Token": self._secret if secret is None else secret,
        }
        return await self._browser.post(self._url, body, headers)

    def _update(self, message: CustomerMessage, index: int) -> bytes:
        chat = 5_000_000 + self._number(f"chat {message.thread}")
        number = self._number(f"message {message.ref} {index}")
        self.desk.chats[chat] = ChatOf(message.customer, message.thread)
        self.desk.messages.setdefault(chat, set()).add(number)
        said: dict[str, object] = {"text": message.text}
        if message.files:
            said = self._document(message.files[index], f"{message.ref}-{index}", message.text if index == 0 else "")
        person = {"id": chat, "is_bot": False, "first_name": message.customer, "language_code": "en"}
        return _ENCODER.encode(
            {
                "update_id": 70_000_000 + number,
                "message": {
                    "message_id": number,
                    "from": person,
                    "chat": {"id": chat, "type": "private", "first_name": message.customer},
                    "date": self._clock.now_ms() // 1000,
                    **said,
                },
            }
        )

    def _document(self, file: CustomerFile, name: str, caption: str) -> dict[str, object]:
        file_id = f"F{self._number(f'file {name}')}"
        self.desk.files[file_id] = file
        document = {
            "file_id": file_id,
            "file_unique_id": f"U{file_id}",
            "file_name": file.name,
            "mime_type": file.media_type,
            "file_size": len(file.data),
        }
        return {"document": document, "caption": caption} if caption else {"document": document}


def simulator() -> Simulator:
    """The entry point's factory."""
    return TelegramSimulator()
