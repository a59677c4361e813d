"""Sends a reply piece by piece. Messenger knows no idempotency key: a piece that may be out is never repeated."""

from typing import Final

import msgspec
from aiohttp import FormData

from channels.kit.failures import NoAnswer, Unreachable
from channels.kit.reply_files import FilesRefused, read_files
from channels.messenger.graph import GraphError, SendAnswer, SendApi
from channels.messenger.pieces import Piece, pieces
from router.contract.messages import Attachment, Reply
from router.runtime.errors import SendLater
from router.runtime.plugins import ChannelHost, SendResult, failed, sent, unknown

_MAX_FILES_BYTES: Final = 25 * 1024 * 1024
_ENCODER: Final = msgspec.json.Encoder()

_OUT_OF_WINDOW: Final = frozenset({(10, 2018278), (10, 2018065)})
_UNREACHABLE: Final = frozenset({(10, 2018108), (100, 2018001), (200, 1545041), (200, 2018028), (551, 1545041)})
_TOO_MUCH: Final = frozenset({4, 17, 32, 613, 1200, 80006})
_UNCLEAR: Final = frozenset({1, 2})

_CLOSED: Final = "the customer's last message is more than 24 hours old: Messenger takes no answer any more"
_CLOSED_FOR_PEOPLE: Final = "the customer's last message is too old: Messenger takes no answer any more"


async def send_reply(reply: Reply, api: SendApi, host: ChannelHost, *, human_agent: bool) -> SendResult:
    """``SendLater`` only while nothing is out: once a first piece has arrived, trouble with a later one is
    unknown, with how far it came. ``human_agent``: after a day an advisor's answer is sent as a person's."""
    plan = pieces(reply)
    if not plan:
        return failed("the reply is empty")
    try:
        files = await read_files(reply, host.blobs, max_bytes=_MAX_FILES_BYTES)
    except FilesRefused as exc:
        return failed(str(exc))
    is_personal = human_agent and not reply.automatic
    first_id: str | None = None
    for number, piece in enumerate(plan):
        try:
            content = files[piece.file.blob] if piece.file else b""
            result = await _send(reply, piece, content, api=api, is_personal=is_personal)
        except SendLater as exc:
            if number == 0:
                raise
            result = unknown(exc.reason)
        if result.state != "sent":
            return result if number == 0 else unknown(f"{number} of {len(plan)} parts arrived; then {result.reason}")
        first_id = first_id or result.provider_message_id
    return sent(first_id)


async def _send(reply: Reply, piece: Piece, content: bytes, *, api: SendApi, is_personal: bool) -> SendResult:
    """One piece. Raises ``SendLater`` if it isn't out."""
    try:
        answer = await api.send(_message(reply, piece, content, {"messaging_type": "RESPONSE"}))
        if is_personal and answer.error is not None and _pair(answer.error) in _OUT_OF_WINDOW:
            tagged = {"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"}
            answer = await api.send(_message(reply, piece, content, tagged))
    except Unreachable:
        raise SendLater("the Graph API cannot be reached") from None
    except NoAnswer:
        return unknown("the Graph API did not answer")
    return _result(answer, is_personal=is_personal)


def _result(answer: SendAnswer, *, is_personal: bool) -> SendResult:
    error = answer.error
    if error is None:
        return sent(answer.message_id)
    if error.code in _TOO_MUCH or answer.status == 429:
        raise SendLater("Messenger takes no more just now")
    if error.code == 190:
        raise SendLater("Messenger refuses the page's token")
    if error.code in _UNCLEAR:
        # The message may be out all the same: Messenger's own table of errors says so.
        return unknown(f"Messenger answered with error {error.code}")
    if _pair(error) in _OUT_OF_WINDOW:
        return failed(_CLOSED_FOR_PEOPLE if is_personal else _CLOSED)
    if _pair(error) in _UNREACHABLE or error.code == 551:
        return failed("the customer can't be reached: the chat is blocked, closed or unknown")
    if error.code in (10, 200):
        return failed("the page has no permission to send this")
    return failed(f"Messenger refused it ({answer.status}, error {error.code}/{error.error_subcode})")


def _pair(error: GraphError) -> tuple[int, int]:
    return error.code, error.error_subcode


def _message(reply: Reply, piece: Piece, content: bytes, kind: dict[str, str]) -> dict[str, object] | FormData:
    recipient = {"id": reply.to.address}
    if piece.file is None:
        return {"recipient": recipient, **kind, "message": {"text": piece.text}}
    attachment = {"attachment": {"type": _kind(piece.file), "payload": {"is_reusable": False}}}
    form = FormData()
    form.add_field("recipient", _ENCODER.encode(recipient).decode())
    for name, value in kind.items():
        form.add_field(name, value)
    form.add_field("message", _ENCODER.encode(attachment).decode())
    form.add_field("filedata", content, filename=piece.file.name, content_type=_media_type(piece.file))
    return form


def _kind(file: Attachment) -> str:
    kind = file.media_type.partition("/")[0]
    return kind if kind in ("image", "audio", "video") else "file"


def _media_type(file: Attachment) -> str:
    """A header's value: what a customer's or advisor's file claims to be goes out only if it can be one."""
    kind, _, detail = file.media_type.partition("/")
    is_plain = all(part and part.isascii() and part.replace("-", "").isalnum() for part in (kind, detail))
    return file.media_type if is_plain else "application/octet-stream"
