"""The API of one process: its parts joined, its port opened."""

import time
from functools import partial
from typing import Final, NamedTuple

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from prometheus_client import CollectorRegistry

from router.api.acts.operations import Operations
from router.api.desks import Desks
from router.api.keys import Gate
from router.api.metrics import ApiMetrics, status_class
from router.api.problems import Problem, of_failure, problem, response
from router.api.routes import Handlers, routes
from router.api.sessions.hub import EventTail, Hub
from router.api.sessions.session import SessionKit
from router.api.sessions.sockets import Sockets
from router.api.transcripts import Links
from router.runtime.blobs import Blobs
from router.runtime.bus.protocol import Bus
from router.runtime.clock import Clock
from router.runtime.listening import Listener
from router.runtime.settings.model import Settings
from router.service.configuration.api_keys import KeyTable

_CLOSING_S: Final = 5.0


class ApiParts(NamedTuple):
    """What the API is built from."""

    desks: Desks
    keys: KeyTable
    bus: Bus
    blobs: Blobs
    clock: Clock
    registry: CollectorRegistry
    settings: Settings


class ApiServer:
    """``run`` follows what is to be pushed; ``start`` opens the port. Sessions of a key end when it is revoked."""

    def __init__(self, parts: ApiParts) -> None:
        self._hub = Hub()
        self._events = EventTail(parts.bus, self._hub, clock=parts.clock)
        self._metrics = ApiMetrics(parts.registry)
        self.app = _application(parts, self._hub, self._metrics)
        self._listener = Listener(closing_s=_CLOSING_S)
        parts.keys.listen(self._hub.revoked)
        for pool, desk in parts.desks.items():
            desk.tail.listen(partial(self._hub.changed, pool))

    @property
    def port(self) -> int:
        """The port it listens on, once started."""
        return self._listener.port

    @property
    def sessions(self) -> int:
        """How many advisor sessions are open."""
        return len(self._hub)

    async def run(self) -> None:
        """Follow the events until cancelled."""
        await self._events.run()

    async def start(self, host: str, port: int) -> None:
        """Listen; 0 takes a free port. Raises ``OSError`` when the port is taken."""
        await self._listener.open(self.app, host, port)

    async def close(self) -> None:
        """End the sessions, which gives their connections back, and stop listening. Repeating it does nothing."""
        await self._listener.close()


def _application(parts: ApiParts, hub: Hub, metrics: ApiMetrics) -> web.Application:
    """The aiohttp application with all its routes."""
    api = parts.settings.api
    gate = Gate(parts.keys, parts.desks)
    links = Links(parts.blobs, ttl_s=parts.settings.blobs.link_ttl_s)
    forgotten = metrics.limits.labels("operations").inc
    operations = Operations(durable_wait_s=api.durable_wait_s, forgotten=forgotten)
    kit = SessionKit(links=links, metrics=metrics, clock=parts.clock, operations=operations)
    own = parts.settings.http.api_url
    sockets = Sockets(gate, hub, kit, origins=frozenset({own.rstrip("/")} if own else ()))
    handlers = Handlers(
        gate=gate,
        links=links,
        operations=operations,
        metrics=metrics,
        sockets=sockets,
        blobs=parts.blobs,
        clock=parts.clock,
    )
    app = web.Application(client_max_size=api.max_body_bytes, middlewares=[_edge(metrics)])
    for route in routes(handlers):
        app.router.add_route(route.method, route.path, route.handler)

    async def stop(_app: web.Application) -> None:
        hub.stop()

    app.on_shutdown.append(stop)
    return app


def _edge(metrics: ApiMetrics) -> Middleware:
    """Every request is counted, and every failure answered as a problem."""

    @web.middleware
    async def edge(request: web.Request, handler: Handler) -> web.StreamResponse:
        began = time.monotonic()
        try:
            answer = await handler(request)
        except web.HTTPException as exc:
            answer = response(_of_http(exc))
        except ConnectionResetError:
            raise
        except Exception as exc:  # noqa: BLE001 - the edge of the loop: whatever it is, it is this request's answer
            answer = response(of_failure(exc))
        metrics.requests.labels(status_class(answer.status)).inc()
        if answer.status != 101:
            metrics.request_seconds.observe(time.monotonic() - began)
        return answer

    return edge


def _of_http(exc: web.HTTPException) -> Problem:
    """The problem of what aiohttp itself refuses."""
    codes = {404: "not-found", 405: "no-method", 413: "too-large"}
    found = problem(codes.get(exc.status, "malformed" if exc.status < 500 else "internal"))
    return msgspec.structs.replace(found, status=exc.status)
