"""The Bot API on the receiving side: takes a bot's requests as strictly as Telegram does."""

from typing import Annotated, Final

import msgspec
from aiohttp import web
from msgspec import Meta

from channels.kit.simulating import ChatOf, Desk
from channels.kit.splitting import units
from channels.telegram.pieces import MAX_CAPTION, MAX_TEXT
from router.runtime.simulators import CustomerFile, ReceivedReply

_MAX_BYTES: Final = 50 * 1024 * 1024


class ReplyParameters(msgspec.Struct, frozen=True, kw_only=True):
    message_id: int
    allow_sending_without_reply: bool = False


class SentText(msgspec.Struct, frozen=True, kw_only=True):
    """The members of ``sendMessage`` that a bot of ours may use."""

    chat_id: int
    text: str
    message_thread_id: int | None = None
    reply_parameters: ReplyParameters | None = None


class AskedFile(msgspec.Struct, frozen=True, kw_only=True):
    file_id: Annotated[str, Meta(min_length=1)]


_TEXT: Final = msgspec.json.Decoder(SentText)
_FILE: Final = msgspec.json.Decoder(AskedFile)
_REFERENCE: Final = msgspec.json.Decoder(ReplyParameters)


class No(Exception):
    """The request is refused, as Telegram words it."""

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters


class BotDesk(Desk[ReceivedReply]):
    """Checks, keeps and, if told so, mistreats what a bot asks of it. ``chats`` are those that the bot may
    write to, ``messages`` the numbers of what was written there, ``files`` what can be fetched."""

    def __init__(self, token: str) -> None:
        self._token = token
        super().__init__()
        self._next_message = 1_000_000
        self.chats: dict[int, ChatOf] = {}
        self.messages: dict[int, set[int]] = {}
        self.files: dict[str, CustomerFile] = {}

    async def take(self, request: web.Request) -> web.StreamResponse:
        """The handler of every method."""
        if not request.match_info["method"].startswith("send"):
            return await self._taken(request)
        return await self.mistreated(
            request,
            self._taken,
            refused=lambda: _told(No(403, "Forbidden: bot was blocked by the user")),
            busy=lambda: _told(No(429, "Too Many Requests: retry after 1", retry_after=1)),
        )

    async def give(self, request: web.Request) -> web.Response:
        """The handler of a file's address."""
        file = self.files.get(request.match_info["path"].removeprefix("documents/"))
        if request.match_info["token"] != self._token or file is None:
            return web.Response(status=404)
        return web.Response(body=file.data)

    async def _taken(self, request: web.Request) -> web.Response:
        try:
            result = await self._result(request)
        except No as exc:
            self.refusals.append(exc.description)
            return _told(exc)
        return web.json_response({"ok": True, "result": result})

    async def _result(self, request: web.Request) -> dict[str, object]:
        if request.match_info["token"] != self._token:
            raise No(401, "Unauthorized")
        match request.match_info["method"]:
            case "sendMessage":
                return self._text(await request.read())
            case "sendDocument":
                return await self._document(request)
            case "getFile":
                return self._path(await request.read())
            case _:
                raise No(404, "Not Found")

    def _text(self, body: bytes) -> dict[str, object]:
        try:
            said = _TEXT.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError) as exc:
            raise No(400, f"Bad Request: {exc}") from None
        self._check_chat(said.chat_id, said.reply_parameters)
        if not said.text.strip():
            raise No(400, "Bad Request: message text is empty")
        if units(said.text) > MAX_TEXT:
            raise No(400, "Bad Request: message is too long")
        return self._show(said.chat_id, said.text)

    async def _document(self, request: web.Request) -> dict[str, object]:
        if request.content_type != "multipart/form-data":
            raise No(400, "Bad Request: there is no document in the request")
        form = await request.post()
        document, caption, chat = form.get("document"), str(form.get("caption", "")), str(form.get("chat_id", ""))
        if not chat.removeprefix("-").isdecimal():
            raise No(400, "Bad Request: chat_id is empty")
        reference = form.get("reply_parameters")
        self._check_chat(int(chat), None if reference is None else _reference(str(reference)))
        if not isinstance(document, web.FileField):
            raise No(400, "Bad Request: there is no document in the request")
        if units(caption) > MAX_CAPTION:
            raise No(400, "Bad Request: message caption is too long")
        data = document.file.read()
        if not data:
            raise No(400, "Bad Request: file must be non-empty")
        return self._show(
            int(chat), caption, CustomerFile(name=document.filename, media_type=document.content_type, data=data)
        )

    def _path(self, body: bytes) -> dict[str, object]:
        try:
            file_id = _FILE.decode(body).file_id
        except (msgspec.DecodeError, UnicodeDecodeError) as exc:
            raise No(400, f"Bad Request: {exc}") from None
        file = self.files.get(file_id)
        if file is None:
            raise No(400, "Bad Request: invalid file_id")
        return {"file_id": file_id, "file_size": len(file.data), "file_path": f"documents/{file_id}"}

    def _check_chat(self, chat: int, reference: ReplyParameters | None) -> None:
        if chat not in self.chats:
            raise No(400, "Bad Request: chat not found")
        if reference is not None and reference.message_id not in self.messages.get(chat, ()):
            raise No(400, "Bad Request: message to be replied not found")

    def _show(self, chat: int, text: str, *files: CustomerFile) -> dict[str, object]:
        self._next_message += 1
        shown = ReceivedReply(
            customer=self.chats[chat].customer,
            thread=self.chats[chat].thread,
            text=text,
            provider_message_id=str(self._next_message),
            files=files,
        )
        self.arrived.put_nowait(shown)
        return {"message_id": self._next_message, "chat": {"id": chat}, "text": text}


def desk_app(desk: BotDesk) -> web.Application:
    """The application that serves the methods and the files."""
    app = web.Application(client_max_size=_MAX_BYTES)
    app.router.add_post("/bot{token}/{method}", desk.take)
    app.router.add_get("/file/bot{token}/{path:.+}", desk.give)
    return app


def _reference(text: str) -> ReplyParameters:
    try:
        return _REFERENCE.decode(text)
    except msgspec.DecodeError as exc:
        raise No(400, f"Bad Request: reply_parameters: {exc}") from None


def _told(no: No) -> web.Response:
    body: dict[str, object] = {"ok": False, "error_code": no.code, "description": no.description}
    if no.parameters:
        body["parameters"] = no.parameters
    return web.json_response(body, status=no.code)
