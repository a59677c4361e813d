"""The Send API on the receiving side: takes a page's messages as strictly as Messenger does."""

from typing import Any, Final, Literal

import msgspec
from aiohttp import web

from channels.kit.simulating import ChatOf, Desk
from channels.kit.splitting import units
from channels.messenger.options import MessengerOptions
from channels.messenger.pieces import MAX_TEXT
from router.runtime.simulators import CustomerFile, ReceivedReply

_MAX_BYTES: Final = 50 * 1024 * 1024


class Recipient(msgspec.Struct, frozen=True, kw_only=True):
    id: str


class AttachmentPayload(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    is_reusable: bool


class PostedAttachment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    type: Literal["image", "audio", "video", "file"]
    payload: AttachmentPayload


class PostedMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    text: str | None = None
    attachment: PostedAttachment | None = None


class Posted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The members of a send request that a page of ours may use."""

    recipient: Recipient
    message: PostedMessage
    messaging_type: Literal["RESPONSE", "MESSAGE_TAG"]
    tag: Literal["HUMAN_AGENT"] | None = None


_POSTED: Final = msgspec.json.Decoder(Posted)


class No(Exception):
    """The request is refused, with Messenger's numbers."""

    def __init__(self, code: int, why: str, *, subcode: int = 0, status: int = 400) -> None:
        super().__init__(why)
        self.code = code
        self.subcode = subcode
        self.status = status


class SendDesk(Desk[ReceivedReply]):
    """Checks, keeps and, if told so, mistreats what a page sends. ``chats`` are the people who wrote to it,
    ``closed`` those whose last message is too old, ``files`` what can be fetched."""

    def __init__(self, options: MessengerOptions) -> None:
        self._options = options
        super().__init__()
        self._messages = 0
        self.chats: dict[str, ChatOf] = {}
        self.closed: set[str] = set()
        self.files: dict[str, CustomerFile] = {}

    async def take(self, request: web.Request) -> web.StreamResponse:
        """The handler of ``/me/messages``."""
        return await self.mistreated(
            request,
            self._answered,
            refused=lambda: _told(No(551, "This person isn't available right now.", subcode=1545041)),
            busy=lambda: _told(No(613, "Calls to this API have exceeded the rate limit.")),
        )

    async def give(self, request: web.Request) -> web.Response:
        """The handler of a customer's file."""
        file = self.files.get(request.match_info["file"])
        if file is None:
            return web.Response(status=404)
        return web.Response(body=file.data, headers={"Content-Type": file.media_type})

    async def _answered(self, request: web.Request) -> web.Response:
        try:
            return await self._taken(request)
        except No as exc:
            self.refusals.append(str(exc))
            return _told(exc)

    async def _taken(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"Bearer {self._options.page_token.reveal()}":
            raise No(190, "Invalid OAuth access token.", status=401)
        if request.query.get("appsecret_proof") != self._options.proof():
            raise No(100, "Invalid appsecret_proof provided in the API argument")
        posted, file = await _read(request)
        chat = self.chats.get(posted.recipient.id)
        if chat is None:
            raise No(100, "No matching user found", subcode=2018001)
        if (posted.messaging_type == "MESSAGE_TAG") != (posted.tag is not None):
            raise No(100, "A tag and its messaging type go together")
        if posted.recipient.id in self.closed and posted.tag is None:
            raise No(10, "This message is sent outside of allowed window.", subcode=2018278)
        _check_message(posted.message, file)
        self._messages += 1
        shown = ReceivedReply(
            customer=chat.customer,
            thread=chat.thread,
            text=posted.message.text or "",
            provider_message_id=f"m_{self._messages}",
            files=() if file is None else (file,),
        )
        self.arrived.put_nowait(shown)
        return web.json_response({"recipient_id": posted.recipient.id, "message_id": shown.provider_message_id})


def desk_app(desk: SendDesk) -> web.Application:
    """The application that serves the Send API and the customers' files."""
    app = web.Application(client_max_size=_MAX_BYTES)
    app.router.add_post("/me/messages", desk.take)
    app.router.add_get("/files/{file}/{name}", desk.give)
    return app


async def _read(request: web.Request) -> tuple[Posted, CustomerFile | None]:
    file: CustomerFile | None = None
    try:
        if request.content_type == "multipart/form-data":
            fields: dict[str, Any] = dict(await request.post())
            data = fields.pop("filedata", None)
            if isinstance(data, web.FileField):
                file = CustomerFile(name=data.filename, media_type=data.content_type, data=data.file.read())
            for name in ("recipient", "message"):
                fields[name] = msgspec.json.decode(str(fields.get(name, "")))
            return msgspec.convert(fields, Posted), file
        if request.content_type != "application/json":
            raise No(100, "The content type is neither JSON nor a form")
        return _POSTED.decode(await request.read()), None
    except (msgspec.MsgspecError, UnicodeDecodeError) as exc:
        raise No(100, f"Invalid parameter: {exc}") from None


def _check_message(message: PostedMessage, file: CustomerFile | None) -> None:
    if (message.text is None) == (message.attachment is None):
        raise No(100, "A message has either text or an attachment")
    if message.text is not None and not (message.text.strip() and units(message.text) <= MAX_TEXT):
        raise No(100, f"The text must have 1 to {MAX_TEXT} characters", subcode=2018248)
    if message.attachment is not None and (file is None or not file.data):
        raise No(100, "The attachment has no data", subcode=2018008)


def _told(no: No) -> web.Response:
    error = {"message": str(no), "type": "OAuthException", "code": no.code, "error_subcode": no.subcode}
    return web.json_response({"error": error}, status=no.status)
