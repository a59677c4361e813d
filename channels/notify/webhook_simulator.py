"""The stand-in for a site's own system that takes notices, as strictly as the notifier's page promises."""

import base64
import secrets
from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

import msgspec
from aiohttp import web
from msgspec import Meta

from channels.kit.requests import received
from channels.kit.signatures import STANDARD, standard_secret, verify
from channels.kit.simulating import Desk, Port, busy, gone
from router.contract.codec import from_rfc3339
from router.contract.errors import ContractError
from router.runtime.clock import Clock, SystemClock

_MAX_BYTES: Final = 64 * 1024
_Text = Annotated[str, Meta(min_length=1, max_length=1000)]
_Count = Annotated[int, Meta(ge=0)]


class PostedNotice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the notifier promises of a notice, and nothing else: more would be more than ids."""

    type: Literal["notice"]
    id: _Text
    kind: _Text
    summary: _Text
    target: _Text
    pool: _Text
    case: _Text
    queue: str
    priority: Annotated[int, Meta(ge=1)]
    step: _Count
    clock: str
    at: str
    due_at: str | None
    staff: tuple[str, ...]
    about: str | None
    trigger: str
    owner: str | None
    top: bool

    def __post_init__(self) -> None:
        for instant in (self.at, self.due_at):
            if instant is not None:
                _checked(instant)


class PostedNotices(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Several in one message: all for the same target and staff."""

    type: Literal["notices"]
    id: _Text
    target: _Text
    staff: tuple[str, ...]
    notices: Annotated[tuple[PostedNotice, ...], Meta(min_length=2, max_length=500)]

    def __post_init__(self) -> None:
        if any((each.target, each.staff) != (self.target, self.staff) for each in self.notices):
            raise ValueError("a notice is for somebody else than the message")


class _Head(msgspec.Struct, frozen=True):
    type: str = ""


def _checked(instant: str) -> None:
    try:
        from_rfc3339(instant)
    except ContractError as exc:
        raise ValueError(str(exc)) from exc


_HEAD: Final = msgspec.json.Decoder(_Head)
_DECODERS: Final[dict[str, msgspec.json.Decoder[PostedNotice | PostedNotices]]] = {
    "notice": msgspec.json.Decoder(PostedNotice),
    "notices": msgspec.json.Decoder(PostedNotices),
}


class WebhookTargetSimulator(Desk[PostedNotice]):
    """One target. ``start``, then a service whose target has the options it returned."""

    def __init__(self, clock: Clock | None = None) -> None:
        super().__init__()
        self._clock = clock or SystemClock()
        self._port = Port()
        self.secret: Final = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
        self._keys = (standard_secret(self.secret),)
        self._seen: set[str] = set()
        self.duplicates: Counter[str] = Counter()
        """How often a notice that was here already came again, by its id."""
        self.messages: list[str] = []
        """The ids of the messages that brought them, repeats too."""

    @property
    def url(self) -> str:
        """Where it takes notices, once started; the same after another start."""
        return f"{self._port.url}/notices"

    async def start(self) -> Mapping[str, Any]:
        """Listen, on the port of the last time if there was one; return options for a target."""
        app = web.Application(client_max_size=_MAX_BYTES)
        app.router.add_post("/notices", self._take)
        self.open()
        await self._port.open(app)
        return {"url": self.url, "secrets": [self.secret], "allow_private": True}

    async def stop(self) -> None:
        """Be gone, with what is left hanging. Repeating it does nothing."""
        self.close()
        await self._port.close()

    async def _take(self, request: web.Request) -> web.StreamResponse:
        return await self.mistreated(request, self._taken, refused=gone, busy=busy)

    async def _taken(self, request: web.Request) -> web.Response:
        body = await request.read()
        refusal = verify(STANDARD, self._keys, received(request, body), now_ms=self._clock.now_ms())
        if refusal is not None:
            return self.refuse(401, f"signature {refusal}")
        if request.content_type != "application/json":
            return self.refuse(415, "the content type is not application/json")
        try:
            posted = _DECODERS.get(_HEAD.decode(body).type, _DECODERS["notice"]).decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError) as exc:
            return self.refuse(400, f"not a notice: {exc}")
        if posted.id != request.headers["webhook-id"]:
            return self.refuse(400, "webhook-id is not the id of what was sent")
        self.messages.append(posted.id)
        for notice in posted.notices if isinstance(posted, PostedNotices) else (posted,):
            self._take_one(notice)
        return web.Response(status=204)

    def _take_one(self, posted: PostedNotice) -> None:
        if posted.id in self._seen:
            self.duplicates[posted.id] += 1
        else:
            self._seen.add(posted.id)
            self.arrived.put_nowait(posted)
