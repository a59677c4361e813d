"""The stand-in for a site's own system that takes notices, as strictly as the notifier's page promises."""

import asyncio
import base64
import secrets
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal

import msgspec
from aiohttp import web
from msgspec import Meta

from channels.kit.requests import received
from channels.kit.signatures import STANDARD, standard_secret, verify
from router.contract.codec import from_rfc3339
from router.contract.errors import ContractError
from router.runtime.clock import Clock, SystemClock
from router.runtime.simulators import Misbehaviour

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

    def __post_init__(self) -> None:
        for instant in (self.at, self.due_at):
            if instant is not None:
                _checked(instant)


def _checked(instant: str) -> None:
    try:
        from_rfc3339(instant)
    except ContractError as exc:
        raise ValueError(str(exc)) from exc


_DECODER: Final = msgspec.json.Decoder(PostedNotice)


class WebhookTargetSimulator:
    """One target. ``start``, then a service whose target has the options it returned."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self.secret: Final = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
        self._keys = (standard_secret(self.secret),)
        self._ways: deque[Misbehaviour] = deque()
        self._closing = asyncio.Event()
        self._seen: set[str] = set()
        self._runner: web.AppRunner | None = None
        self._port = 0
        self.arrived: asyncio.Queue[PostedNotice] = asyncio.Queue()
        """Each notice once, in order of arrival."""
        self.duplicates: Counter[str] = Counter()
        """How often a notice that was here already came again, by its id."""
        self.refusals: list[str] = []
        """Why something was refused, one line each; empty in a sound run."""

    @property
    def url(self) -> str:
        """Where it takes notices, once started; the same after another start."""
        return f"http://127.0.0.1:{self._port}/notices"

    async def start(self) -> Mapping[str, Any]:
        """Listen, on the port of the last time if there was one; return options for a target."""
        app = web.Application(client_max_size=_MAX_BYTES)
        app.router.add_post("/notices", self._take)
        self._closing.clear()
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True).start()
        self._port = self._runner.addresses[0][1]
        return {"url": self.url, "secrets": [self.secret], "allow_private": True}

    def misbehave(self, ways: Sequence[Misbehaviour]) -> None:
        """What to do with the next notices, one each; afterwards well-behaved again."""
        self._ways.extend(ways)

    async def close(self) -> None:
        """Be gone, with what is left hanging. Repeating it does nothing."""
        self._closing.set()
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def _take(self, request: web.Request) -> web.StreamResponse:
        way = self._ways.popleft() if self._ways else None
        match way:
            case Misbehaviour.REFUSE:
                return web.Response(status=410)
            case Misbehaviour.BUSY:
                return web.Response(status=503, headers={"Retry-After": "1"})
            case Misbehaviour.CUT_BEFORE:
                return _cut(request)
        answer = self._taken(request, await request.read())
        match way:
            case Misbehaviour.CUT_AFTER:
                return _cut(request)
            case Misbehaviour.HANG:
                await self._closing.wait()
        return answer

    def _taken(self, request: web.Request, body: bytes) -> web.Response:
        refusal = verify(STANDARD, self._keys, received(request, body), now_ms=self._clock.now_ms())
        if refusal is not None:
            return self._refuse(401, f"signature {refusal}")
        if request.content_type != "application/json":
            return self._refuse(415, "the content type is not application/json")
        try:
            posted = _DECODER.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError) as exc:
            return self._refuse(400, f"not a notice: {exc}")
        if posted.id != request.headers["webhook-id"]:
            return self._refuse(400, "webhook-id is not the notice's id")
        if posted.id in self._seen:
            self.duplicates[posted.id] += 1
        else:
            self._seen.add(posted.id)
            self.arrived.put_nowait(posted)
        return web.Response(status=204)

    def _refuse(self, status: int, why: str) -> web.Response:
        self.refusals.append(why)
        return web.Response(status=status)


def _cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)
