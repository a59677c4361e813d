"""``GET /v1/session``: from a socket to a session."""

import asyncio
import logging
from typing import Final
from urllib.parse import urlsplit

import msgspec
from aiohttp import WSMsgType, web

from router.api.desks import Caller
from router.api.keys import STAFF, Gate
from router.api.problems import of_failure, refused
from router.api.sessions.frames import Hello, Trouble
from router.api.sessions.hub import Hub
from router.api.sessions.session import Session, SessionKit
from router.contract.ids import AdvisorId

LOG = logging.getLogger(__name__)
HELLO_S: Final = 10.0
MAX_SESSIONS: Final = 10
MAX_FRAME_BYTES: Final = 256 * 1024
_HEARTBEAT_S: Final = 20.0
_HELLO: Final = msgspec.json.Decoder(Hello)
_CLOSES: Final = {401: 4401, 403: 4403, 404: 4403, 429: 1013}


class Sockets:
    """Opens sessions. ``origins`` are the sites whose pages may open one, besides the API's own."""

    def __init__(self, gate: Gate, hub: Hub, kit: SessionKit, *, origins: frozenset[str] = frozenset()) -> None:
        self._gate = gate
        self._hub = hub
        self._kit = kit
        self._origins = origins

    async def open(self, request: web.Request) -> web.StreamResponse:
        """Serve one socket to its end. A browser's page of a foreign site is refused before anything is said."""
        self._check_origin(request)
        socket = web.WebSocketResponse(heartbeat=_HEARTBEAT_S, max_msg_size=MAX_FRAME_BYTES, compress=False)
        await socket.prepare(request)
        try:
            await self._serve(socket)
        except Exception as exc:  # noqa: BLE001 - the edge: whatever it is, the client is told and the socket closed
            found = of_failure(exc)
            if not socket.closed:
                await socket.send_str(msgspec.json.encode(Trouble(problem=found)).decode())
            await socket.close(code=_CLOSES.get(found.status, 1011), message=found.title.encode()[:120])
        return socket

    async def _serve(self, socket: web.WebSocketResponse) -> None:
        caller, advisor = await self._greet(socket)
        pool = caller.desk.pool
        if self._hub.count(pool, advisor) >= MAX_SESSIONS:
            self._kit.metrics.limits.labels("sessions").inc()
            raise refused("too-many", f"At most {MAX_SESSIONS} sessions of one advisor: close another first.")
        session = Session(socket, caller, advisor, self._kit)
        self._hub.join(pool, advisor, session)
        self._kit.metrics.sessions.inc()
        by = "failed"
        try:
            by = await session.run()
        finally:
            self._hub.leave(pool, advisor, session)
            self._kit.metrics.sessions.dec()
            self._kit.metrics.closed.labels(by).inc()

    async def _greet(self, socket: web.WebSocketResponse) -> tuple[Caller, AdvisorId]:
        """The first frame names the key. Raises ``Refused``."""
        try:
            async with asyncio.timeout(HELLO_S):
                first = await socket.receive()
        except TimeoutError as exc:
            raise refused("unauthorized", "The first frame must be a hello, within ten seconds.") from exc
        if first.type is not WSMsgType.TEXT:
            raise refused("unauthorized", "The first frame must be a hello.")
        try:
            hello = _HELLO.decode(first.data)
        except (msgspec.DecodeError, RecursionError) as exc:
            raise refused("unauthorized", f"The first frame must be a hello: {exc}") from exc
        caller = self._gate.known(hello.key)
        if caller.key.role not in STAFF or caller.key.advisor is None:
            raise refused("forbidden", "A session takes a key that names an advisor.")
        return caller, caller.key.advisor

    def _check_origin(self, request: web.Request) -> None:
        origin = request.headers.get("Origin")
        if origin is None or origin in self._origins:
            return
        if urlsplit(origin).netloc.lower() != request.host.lower():
            raise refused("forbidden", "Pages of this site may not open a session.")
