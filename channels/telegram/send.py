"""Sends a reply piece by piece. Telegram knows no idempotency key: a piece that may be out is never repeated."""

import asyncio
from collections.abc import Mapping
from typing import Final

import msgspec
from aiohttp import FormData

from channels.kit.failures import NoAnswer, Unreachable
from channels.kit.reply_files import FilesRefused, read_files
from channels.telegram.bot_api import BotAnswer, BotApi
from channels.telegram.normalise import CHAT, MESSAGE, TOPIC
from channels.telegram.pieces import Piece, pieces
from router.contract.messages import Reply
from router.runtime.errors import SendLater
from router.runtime.plugins import ChannelHost, SendResult, failed, sent, unknown

_MAX_FILES_BYTES: Final = 20 * 1024 * 1024
_LONGEST_PAUSE_S: Final = 10.0
_PAUSES: Final = 2

_BLOCKED: Final = "the customer has blocked the bot or left the chat"
_REASONS: Final = (
    ("chat not found", "Telegram knows no such chat, or the customer never wrote to this bot"),
    ("too long", "Telegram says that the message is too long"),
    ("empty", "Telegram says that the message is empty"),
    ("topic", "the topic of the group is closed or gone"),
    ("rights", "the bot may not write in this chat"),
)


async def send_reply(reply: Reply, api: BotApi, host: ChannelHost) -> SendResult:
    """``SendLater`` only while nothing is out: once a first piece has arrived, trouble with a later one is
    unknown, with how far it came."""
    plan = pieces(reply)
    if not plan:
        return failed("the reply is empty")
    try:
        files = await read_files(reply, host.blobs, max_bytes=_MAX_FILES_BYTES)
    except FilesRefused as exc:
        return failed(str(exc))
    sending = _Sending(reply, api, host, files)
    for number, piece in enumerate(plan):
        result = await sending.piece(piece, number)
        if result is not None:
            return result if number == 0 else unknown(f"{number} of {len(plan)} parts arrived; then {result.reason}")
    return sent(sending.message_id)


class _Sending:
    """One try of one reply."""

    def __init__(self, reply: Reply, api: BotApi, host: ChannelHost, files: Mapping[str, bytes]) -> None:
        self._thread = reply.thread
        self._chat = reply.to.address
        self._api = api
        self._host = host
        self._files = files
        self.message_id: str | None = None

    async def piece(self, piece: Piece, number: int) -> SendResult | None:
        """None when it is out. Only the first refers to the customer's message, and only before it
        ``SendLater`` is raised."""
        for _ in range(_PAUSES + 1):
            try:
                answer = await self._call(piece, is_first=number == 0)
            except Unreachable:
                return _later("the Bot API cannot be reached", number)
            except NoAnswer:
                return unknown("the Bot API did not answer")
            parameters = answer.parameters
            if parameters is not None and parameters.migrate_to_chat_id is not None:
                # The group became a supergroup: nothing went out, and it has another number now.
                self._chat = str(parameters.migrate_to_chat_id)
                continue
            wait_s = parameters.retry_after if parameters is not None else None
            if answer.error_code != 429 or number == 0 or wait_s is None or wait_s > _LONGEST_PAUSE_S:
                return self._result(answer, number)
            await self._host.clock.wait(asyncio.Event(), wait_s)
        return _later("Telegram asks for too many pauses", number)

    async def _call(self, piece: Piece, *, is_first: bool) -> BotAnswer:
        target = self._target(is_first=is_first)
        if piece.file is None:
            return await self._api.call("sendMessage", {**target, "text": piece.text})
        return await self._api.call("sendDocument", _form(piece, self._files[piece.file.blob], target))

    def _target(self, *, is_first: bool) -> dict[str, object]:
        target: dict[str, object] = {"chat_id": _number(self._chat)}
        if topic := self._thread.get(TOPIC):
            target["message_thread_id"] = _number(topic)
        if is_first and (message := self._thread.get(MESSAGE)) and self._thread.get(CHAT) == self._chat:
            # The customer may have deleted it since: an answer without reference is better than none.
            target["reply_parameters"] = {"message_id": _number(message), "allow_sending_without_reply": True}
        return target

    def _result(self, answer: BotAnswer, number: int) -> SendResult | None:
        if answer.ok:
            if self.message_id is None:
                self.message_id = str(answer.known().message_id or "") or None
            return None
        code = answer.error_code
        if code == 429:
            wish_s = answer.parameters.retry_after if answer.parameters else None
            return _later("Telegram takes no more just now", number, wish_s)
        if code in (401, 404):
            return _later("Telegram refuses the bot's token", number)
        if code == 403:
            return failed(_BLOCKED)
        if code >= 500:
            return unknown(f"Telegram answered {code}")
        return failed(_reason(answer))


def _later(reason: str, number: int, after_s: float | None = None) -> SendResult:
    if number == 0:
        raise SendLater(reason, after_s)
    return unknown(reason)


def _reason(answer: BotAnswer) -> str:
    # The description may quote what was sent, so it is looked at and not passed on.
    told = answer.description.lower()
    return next((reason for tell, reason in _REASONS if tell in told), f"Telegram answered {answer.error_code}")


def _number(text: str) -> int | str:
    return int(text) if text.removeprefix("-").isdecimal() and len(text) <= 20 else text


def _form(piece: Piece, content: bytes, target: Mapping[str, object]) -> FormData:
    assert piece.file is not None
    form = FormData()
    for name, value in target.items():
        form.add_field(name, _json(value) if isinstance(value, dict) else str(value))
    if piece.text:
        form.add_field("caption", piece.text)
    form.add_field("document", content, filename=piece.file.name, content_type="application/octet-stream")
    return form


def _json(value: Mapping[str, object]) -> str:
    return msgspec.json.encode(value).decode()
