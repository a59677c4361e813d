"""The customer's system on the receiving side: takes replies as strictly as Standard Webhooks ask."""

import base64
from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Final

import msgspec
from aiohttp import web
from msgspec import Meta

from channels.kit.requests import received
from channels.kit.signatures import STANDARD, verify
from channels.kit.simulating import Desk, busy, gone
from router.runtime.clock import Clock
from router.runtime.simulators import CustomerFile, ReceivedReply

_MAX_BYTES: Final = 32 * 1024 * 1024


class PostedFile(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    media_type: str
    content_base64: str


class PostedReply(msgspec.Struct, frozen=True, kw_only=True):
    """What the channel's documentation promises of a reply."""

    type: Annotated[str, Meta(pattern="^reply$")]
    id: Annotated[str, Meta(min_length=1)]
    conversation: Annotated[str, Meta(min_length=1)]
    to: Annotated[str, Meta(min_length=1)]
    text: Annotated[str, Meta(min_length=1)]
    created_at: str
    subject: str = ""
    automatic: bool = False
    attachments: tuple[PostedFile, ...] = ()


_DECODER: Final = msgspec.json.Decoder(PostedReply)


class ReplyDesk(Desk[ReceivedReply]):
    """Checks, keeps and, if told so, mistreats what is posted to it. ``known`` maps a conversation of this
    system to its customer and the teller's name for it."""

    def __init__(self, keys: Sequence[bytes], *, clock: Clock) -> None:
        self._keys = tuple(keys)
        self._clock = clock
        super().__init__()
        self._seen: set[str] = set()
        self.known: dict[str, tuple[str, str]] = {}
        self.duplicates: Counter[str] = Counter()
        """How often a reply that was here already came again, by its id."""

    async def take(self, request: web.Request) -> web.StreamResponse:
        """The handler of ``POST``."""
        return await self.mistreated(request, self._taken, refused=gone, busy=busy)

    async def _taken(self, request: web.Request) -> web.Response:
        body = await request.read()
        refusal = verify(STANDARD, self._keys, received(request, body), now_ms=self._clock.now_ms())
        if refusal is not None:
            return self.refuse(401, f"signature {refusal}")
        if request.content_type != "application/json":
            return self.refuse(415, "the content type is not application/json")
        try:
            posted = _DECODER.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError) as exc:
            return self.refuse(400, f"not a reply: {exc}")
        if posted.id != request.headers["webhook-id"]:
            return self.refuse(400, "webhook-id is not the reply's id")
        customer, thread = self.known.get(posted.conversation, ("", ""))
        if not customer:
            return self.refuse(404, "no such conversation")
        if posted.to != customer:
            return self.refuse(422, "the conversation is another customer's")
        if posted.id in self._seen:
            self.duplicates[posted.id] += 1
        else:
            self._seen.add(posted.id)
            self.arrived.put_nowait(_shown(posted, thread))
        return web.Response(status=204)


def desk_app(desk: ReplyDesk) -> web.Application:
    """The application that serves the desk at ``/replies``."""
    app = web.Application(client_max_size=_MAX_BYTES)
    app.router.add_post("/replies", desk.take)
    return app


def _shown(posted: PostedReply, thread: str) -> ReceivedReply:
    return ReceivedReply(
        customer=posted.to,
        thread=thread,
        text=posted.text,
        provider_message_id=posted.id,
        key=posted.id,
        subject=posted.subject,
        files=tuple(
            CustomerFile(name=file.name, media_type=file.media_type, data=base64.b64decode(file.content_base64))
            for file in posted.attachments
        ),
    )
