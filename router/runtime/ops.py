"""Health and metrics over HTTP, on a port of their own."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from router.runtime.listening import Listener
from router.runtime.metrics import RuntimeMetrics

LOG = logging.getLogger(__name__)
Check = Callable[[], Awaitable[str | None]]

_CHECK_S: Final = 2.0
_CLOSING_S: Final = 1.0


class Readiness:
    """What must be well for the process to take work, by name.

    A check returns None, or what is wrong in a few words; one that raises or takes over two seconds is
    not ready either. Without any check, and from ``withdraw`` on, the process is not ready.
    """

    def __init__(self) -> None:
        self._checks: dict[str, Check] = {}
        self._withdrawn: str | None = None

    def add(self, name: str, check: Check) -> None:
        self._checks[name] = check

    def withdraw(self, reason: str) -> None:
        """Say not ready from now on: the process stops."""
        self._withdrawn = reason

    async def problems(self) -> dict[str, str]:
        """What is not ready and why; empty when all is well."""
        if self._withdrawn is not None:
            return {"process": self._withdrawn}
        if not self._checks:
            return {"process": "starting"}
        names = list(self._checks)
        found = await asyncio.gather(*(_ask(name, self._checks[name]) for name in names))
        return {name: problem for name, problem in zip(names, found, strict=True) if problem is not None}


async def _ask(name: str, check: Check) -> str | None:
    try:
        async with asyncio.timeout(_CHECK_S):
            return await check()
    except TimeoutError:
        return f"no answer within {_CHECK_S:g} s"
    except Exception:
        # The text of an unknown error may hold an address: it goes to the log only.
        LOG.exception("the check %s failed", name, extra={"event": "ready.error", "check": name})
        return "the check itself failed, see the log"


class OpsServer:
    """``/livez``: 200, or 503 with the reason when the process should be restarted. ``/readyz``: 200, or 503
    with every reason, as JSON. ``/metrics``: the registry, as text or OpenMetrics."""

    def __init__(
        self,
        *,
        registry: CollectorRegistry,
        metrics: RuntimeMetrics,
        readiness: Readiness,
        liveness: Callable[[], str | None],
    ) -> None:
        self._registry = registry
        self._metrics = metrics
        self._readiness = readiness
        self._liveness = liveness
        self._asking: asyncio.Task[dict[str, str]] | None = None
        self._listener = Listener(closing_s=_CLOSING_S)

    @property
    def port(self) -> int:
        """The port it listens on, once started."""
        return self._listener.port

    async def start(self, host: str, port: int) -> None:
        """Listen; 0 takes a free port. Raises ``OSError`` when the port is taken."""
        app = web.Application()
        app.add_routes(
            [
                web.get("/livez", self._livez),
                web.get("/readyz", self._readyz),
                web.get("/metrics", self._metrics_page),
            ]
        )
        await self._listener.open(app, host, port)

    async def close(self) -> None:
        """Stop listening. Repeating it does nothing."""
        await self._listener.close()

    async def _livez(self, _request: web.Request) -> web.Response:
        problem = self._liveness()
        return _json({"alive": problem is None, "problem": problem or ""}, good=problem is None)

    async def _readyz(self, _request: web.Request) -> web.Response:
        # Probes that come while the checks still run share their answer instead of piling up.
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._readiness.problems(), name="readiness")
        problems = await asyncio.shield(self._asking)
        self._metrics.ready.set(0 if problems else 1)
        return _json({"ready": not problems, "problems": problems}, good=not problems)

    async def _metrics_page(self, request: web.Request) -> web.Response:
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        # Tens of milliseconds of work, and metrics have locks of their own: the loop goes on meanwhile.
        page = await asyncio.to_thread(encode, self._registry)
        return web.Response(body=page, headers={"Content-Type": content_type})


def _json(body: object, *, good: bool) -> web.Response:
    return web.Response(body=msgspec.json.encode(body), status=200 if good else 503, content_type="application/json")
