"""The one HTTP port of all channels: each has its own path, all have the same bounds and the same manners."""

import asyncio
import logging
import socket
from collections.abc import Sequence
from typing import Final, NamedTuple

from aiohttp import web
from aiohttp.typedefs import Handler

from router.runtime.clock import Clock
from router.runtime.errors import RuntimeFailure
from router.runtime.hosting.metrics import ChannelMetrics, HttpRefusal
from router.runtime.hosting.problems import problem, problem_of
from router.runtime.hosting.proxies import Proxies
from router.runtime.token_bucket import Limiter, Rate

LOG = logging.getLogger(__name__)

_PEERS: Final = 20_000
_BUSY_S: Final = 1.0
_STOPPING_S: Final = 5.0
_WILDCARDS: Final = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104  (not bound here)


class HttpLimits(NamedTuple):
    """Bounds of the port. ``body_bytes`` is the largest request; ``bodies_bytes`` all that are being read at
    the same time; ``peer`` the requests of one address."""

    body_bytes: int = 32 * 1024 * 1024
    bodies_bytes: int = 128 * 1024 * 1024
    peer: Rate = Rate(2000, 8000)


class ChannelPort:
    """``bind``, ``mount`` each channel, ``listen``; then ``stop_intake`` and ``close``.

    A handler finds the client's address in ``request.remote``, also behind ``proxies``. Whatever it does, the sender
    gets a short problem document: no traces, no texts of errors.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        metrics: ChannelMetrics,
        limits: HttpLimits = HttpLimits(),  # noqa: B008  (immutable)
        proxies: Proxies = Proxies(),  # noqa: B008  (immutable)
    ) -> None:
        self._clock = clock
        self._metrics = metrics
        self._limits = limits
        self._peers: Limiter[str] = Limiter(limits.peer, max_keys=_PEERS, on_forgotten=metrics.limits_forgotten.inc)
        middlewares = (_Strangers().guard, proxies.name_client)
        self._app = web.Application(middlewares=middlewares, client_max_size=limits.body_bytes)
        self._app.on_response_prepare.append(_plain_headers)
        self._runner: web.AppRunner | None = None
        self._site: web.SockSite | None = None
        self._socket: socket.socket | None = None
        self._bodies_bytes = 0
        self._is_stopping = False
        self.url = ""
        """Where the port is, once bound, without a slash at the end."""

    async def bind(self, host: str, port: int) -> None:
        """Take the port, 0 a free one, without listening yet: adapters want to know their address when they
        open. Raises ``OSError``."""
        found = await asyncio.get_running_loop().getaddrinfo(host or None, port, type=socket.SOCK_STREAM)
        family, kind, protocol, _, address = found[0]
        self._socket = socket.socket(family, kind, protocol)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind(address)
        except OSError:
            self._socket.close()
            raise
        named = _WILDCARDS.get(host, f"[{host}]" if ":" in host else host)
        self.url = f"http://{named}:{self._socket.getsockname()[1]}"

    def mount(self, channel: str, routes: Sequence[web.AbstractRouteDef]) -> None:
        """Serve the routes under ``/CHANNEL``."""
        part = web.Application(middlewares=[_Gate(self, channel).guard])
        part.add_routes(routes)
        self._app.add_subapp(f"/{channel}", part)

    async def listen(self) -> None:
        """Open the door. Nothing was answered before."""
        assert self._socket is not None, "bind first"
        self._runner = web.AppRunner(self._app, access_log=None, shutdown_timeout=0.1, handle_signals=False)
        await self._runner.setup()
        self._site = web.SockSite(self._runner, self._socket, backlog=1024)
        await self._site.start()

    async def stop_intake(self) -> None:
        """Take no connection any more, and refuse what comes over those that are open."""
        self._is_stopping = True
        site, self._site = self._site, None
        if site is not None:
            await site.stop()

    async def close(self) -> None:
        """Cut what is still open. Repeating it does nothing."""
        await self.stop_intake()
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()
        if self._socket is not None:
            self._socket.close()

    async def answer(self, channel: str, request: web.Request, handler: Handler) -> web.StreamResponse:
        """One request within the bounds, to its answer or a refusal."""
        refused = self._refusal(channel, request)
        if refused is not None:
            return refused
        size_bytes = self._body_bytes(request)
        if self._bodies_bytes + size_bytes > self._limits.bodies_bytes:
            return self._refuse(channel, HttpRefusal.BUSY, problem(503, "Too busy.", retry_after_s=_BUSY_S))
        self._bodies_bytes += size_bytes
        try:
            return await self._served(channel, request, handler)
        finally:
            self._bodies_bytes -= size_bytes

    def _refusal(self, channel: str, request: web.Request) -> web.Response | None:
        if self._is_stopping:
            response = problem(503, "The service is stopping: send it again.", retry_after_s=_STOPPING_S)
            response.force_close()
            return self._refuse(channel, HttpRefusal.STOPPING, response)
        wait_s = self._peers.take(request.remote or "", self._clock.monotonic())
        if wait_s > 0:
            response = problem(429, "Too many requests: send it again later.", retry_after_s=wait_s)
            return self._refuse(channel, HttpRefusal.PEER_RATE, response)
        if (request.content_length or 0) > self._limits.body_bytes:
            return self._too_large(channel)
        return None

    async def _served(self, channel: str, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPRequestEntityTooLarge:
            return self._too_large(channel)
        except web.HTTPException as exc:
            return _as_problem(exc)
        except RuntimeFailure as exc:
            return problem_of(exc)
        except ConnectionError:
            raise  # the sender is gone: there is nobody to answer
        except Exception:
            LOG.exception("a request to %s failed", channel, extra={"event": "http.error", "channel": channel})
            return self._refuse(channel, HttpRefusal.ERROR, problem(500, "The service failed; it has been noted."))

    def _too_large(self, channel: str) -> web.Response:
        detail = f"A request may have at most {self._limits.body_bytes} bytes."
        return self._refuse(channel, HttpRefusal.TOO_LARGE, problem(413, detail))

    def _refuse(self, channel: str, reason: HttpRefusal, response: web.Response) -> web.Response:
        self._metrics.http_refused.labels(channel, reason).inc()
        return response

    def _body_bytes(self, request: web.Request) -> int:
        if not request.body_exists:
            return 0
        # Without a length it may become as large as allowed.
        return self._limits.body_bytes if request.content_length is None else request.content_length


class _Gate:
    """What stands before the routes of one channel."""

    def __init__(self, port: ChannelPort, channel: str) -> None:
        self._port = port
        self._channel = channel

    @web.middleware
    async def guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        return await self._port.answer(self._channel, request, handler)


class _Strangers:
    """What is asked for beside all channels."""

    @web.middleware
    async def guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPException as exc:
            return _as_problem(exc)


def _as_problem(refused: web.HTTPException) -> web.StreamResponse:
    if refused.status < 400:
        raise refused
    response = problem(refused.status, f"{refused.reason}.")
    if "Allow" in refused.headers:
        response.headers["Allow"] = refused.headers["Allow"]
    return response


async def _plain_headers(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers["Server"] = "turnout"
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
