"""Every address of the API, once: the server and the OpenAPI document are both made from this table."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

import msgspec
from aiohttp import web

from router.api.acts import asking
from router.api.acts.operations import Operations, OperationView
from router.api.keys import ACTING, EVERYONE, OVERSIGHT, STAFF, Gate
from router.api.metrics import ApiMetrics
from router.api.openapi import Described, document
from router.api.rest.advisors import Advisors, AdvisorsPage, MeView
from router.api.rest.answers import json_answer
from router.api.rest.attachments import Attachments
from router.api.rest.cases import ACTS, ActView, CasePage, Cases
from router.api.rest.clocks import Clocks, ClocksPage
from router.api.rest.decisions import DecisionPage, Decisions
from router.api.rest.forecasts import Forecast, Forecasts, ForecastView
from router.api.rest.queues import LinePage, Queues, QueuesPage
from router.api.sessions.sockets import Sockets
from router.api.transcripts import Links
from router.api.views import AdvisorView
from router.contract.config import Role
from router.runtime.blobs import Blobs
from router.runtime.clock import Clock

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Handlers(NamedTuple):
    """What handlers are made of."""

    gate: Gate
    links: Links
    operations: Operations
    metrics: ApiMetrics
    sockets: Sockets
    blobs: Blobs
    clock: Clock


class Route(NamedTuple):
    """One address with what serves it."""

    method: str
    path: str
    handler: Handler


def routes(given: Handlers) -> tuple[Route, ...]:
    """The handlers of all addresses."""
    cases = Cases(given.gate, given.links, given.operations, given.metrics)
    advisors, queues = Advisors(given.gate, given.operations), Queues(given.gate)
    described = document(DESCRIBED)

    async def openapi(_request: web.Request) -> web.StreamResponse:
        return json_answer(described)

    return (
        Route("GET", "/openapi.json", openapi),
        Route("GET", "/v1/session", given.sockets.open),
        Route("GET", "/v1/me", advisors.me),
        Route("GET", "/v1/advisors", advisors.all),
        Route("GET", "/v1/advisors/{advisor}", advisors.one),
        Route("GET", "/v1/advisors/{advisor}/operations/{op}", advisors.operation),
        Route("GET", "/v1/queues", queues.all),
        Route("GET", "/v1/queues/{queue}/cases", queues.line),
        Route("GET", "/v1/cases/{case}", cases.show),
        Route("GET", "/v1/cases/{case}/clocks", Clocks(given.gate).show),
        Route("GET", "/v1/cases/{case}/decision", Decisions(given.gate).show),
        Route("POST", "/v1/rulebooks/forecast", Forecasts(given.gate).make),
        Route("GET", "/v1/cases/{case}/operations/{op}", cases.operation),
        Route("POST", "/v1/cases/{case}/{act}", cases.act),
        Route("GET", "/v1/blobs/{token}", Attachments(given.blobs, given.clock).show),
    )


_ROLES = {
    asking.Assign: frozenset({Role.SUPERVISOR}),
    asking.Requeue: frozenset({Role.SUPERVISOR}),
    asking.Exclude: frozenset({Role.SUPERVISOR}),
    asking.Lower: frozenset({Role.SUPERVISOR}),
    asking.Take: frozenset({Role.SUPERVISOR, Role.NOTIFIER}),
    asking.Snooze: ACTING,
    asking.Acknowledge: ACTING,
}


def _act(path: str, kind: type[msgspec.Struct]) -> Described:
    roles = _ROLES.get(kind, STAFF)
    return Described("POST", f"/v1/cases/{{case}}/{path}", kind.__doc__ or "", ActView, roles, body=kind)


_KINDS = {str(kind.__struct_config__.tag): kind for kind in asking.CaseAsk.__args__}

_PAGE = ("after", "limit")
DESCRIBED: tuple[Described, ...] = (
    Described("GET", "/openapi.json", "This document.", None, frozenset()),
    Described("GET", "/v1/session", "An advisor's session over WebSocket.", None, STAFF, socket=True),
    Described("GET", "/v1/me", "Whose key it is.", MeView, EVERYONE),
    Described("GET", "/v1/advisors", "Advisors with presence and load.", AdvisorsPage, OVERSIGHT, query=_PAGE),
    Described("GET", "/v1/advisors/{advisor}", "One advisor with his work set.", AdvisorView, EVERYONE),
    Described("GET", "/v1/advisors/{advisor}/operations/{op}", "How far an act got.", OperationView, STAFF),
    Described("GET", "/v1/queues", "Queues and what waits in them.", QueuesPage, OVERSIGHT),
    Described("GET", "/v1/queues/{queue}/cases", "Cases of a queue in line order.", LinePage, EVERYONE, query=_PAGE),
    Described(
        "GET",
        "/v1/cases/{case}",
        "One case: conversation, history, explanation.",
        CasePage,
        STAFF,
        query=("last", "lang"),
    ),
    Described("GET", "/v1/cases/{case}/clocks", "What counted for each SLA clock.", ClocksPage, STAFF),
    Described(
        "GET",
        "/v1/cases/{case}/decision",
        "The last decision in full: every advisor, and why he was it or wasn't.",
        DecisionPage,
        STAFF,
        query=("advisor", "limit", "lang"),
    ),
    Described(
        "POST",
        "/v1/rulebooks/forecast",
        Forecast.__doc__ or "",
        ForecastView,
        frozenset({Role.SUPERVISOR}),
        body=Forecast,
        changes=False,
    ),
    Described("GET", "/v1/cases/{case}/operations/{op}", "How far an act got.", OperationView, STAFF),
    *(_act(path, _KINDS[name]) for path, name in ACTS.items()),
    Described("GET", "/v1/blobs/{token}", "An attachment, by its short-lived link.", None, frozenset(), binary=True),
)
