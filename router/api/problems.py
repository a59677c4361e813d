"""What went wrong, as RFC 9457 says it: ``application/problem+json``, with a sentence for the person who asked."""

import logging
from collections.abc import Mapping
from typing import Final

import msgspec
from aiohttp import web

from router.runtime.errors import RuntimeFailure, StoreFull
from router.service.errors import Contended, ServiceError
from router.store.acts import Result

LOG = logging.getLogger(__name__)
CONTENT_TYPE: Final = "application/problem+json"
_RETRY_AFTER_S: Final = 2
_FULL: Final = "Memory is short, or the bus away for long; nothing has changed."


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The body of every answer that isn't a success. ``retryable``: the same request may succeed later; repeat
    it with the same ``Idempotency-Key``. ``errors`` names what is wrong with the request, one by one; ``inquiry`` is
    the customer's message that stands in the way."""

    type: str
    title: str
    status: int
    detail: str = ""
    retryable: bool = False
    errors: tuple[str, ...] = ()
    inquiry: str = ""


class Refused(Exception):
    """Ends a request or a frame with a problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.title)
        self.problem = problem


def problem(code: str, detail: str = "", *, errors: tuple[str, ...] = ()) -> Problem:
    """The problem of that code; ``KeyError`` for a code that isn't in the table."""
    status, title = _CODES[code]
    return Problem(
        type=f"urn:turnout:problem:{code}",
        title=title,
        status=status,
        detail=detail,
        retryable=code in _RETRYABLE,
        errors=errors,
    )


def refused(code: str, detail: str = "") -> Refused:
    return Refused(problem(code, detail))


def of_result(result: Result) -> Problem | None:
    """The problem that an act's result stands for; None when it took effect."""
    code = _RESULTS.get(result)
    return None if code is None else problem(*code)


def of_failure(exc: Exception) -> Problem:
    """The problem of an exception. What isn't known is logged, and told to nobody outside."""
    if isinstance(exc, Refused):
        return exc.problem
    if isinstance(exc, Contended):
        return problem("contended", "The case is changing very fast; repeat the request.")
    if isinstance(exc, StoreFull):
        return problem("full", _FULL)
    if isinstance(exc, RuntimeFailure | ServiceError):
        LOG.warning("a request fails: %s", exc, extra={"event": "api.unavailable"})
        return problem("unavailable", "It is not known whether this took effect; repeat it with the same key.")
    LOG.error("a request fails for an unknown reason", exc_info=exc, extra={"event": "api.error"})
    return problem("internal")


def response(found: Problem) -> web.Response:
    headers = {"Retry-After": str(_RETRY_AFTER_S)} if found.status in (429, 503) else {}
    if found.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return web.Response(
        body=msgspec.json.encode(found), status=found.status, content_type=CONTENT_TYPE, headers=headers
    )


_CODES: Final[Mapping[str, tuple[int, str]]] = {
    "unauthorized": (401, "A valid API key is needed"),
    "forbidden": (403, "This key may not do that"),
    "not-yours": (403, "The case is not yours"),
    "not-found": (404, "There is no such thing"),
    "no-method": (405, "This address does not serve that method"),
    "malformed": (400, "The request can't be read"),
    "no-operation": (400, "The header Idempotency-Key is needed"),
    "operation-used": (422, "The operation id was used for another act"),
    "unknown-outcome": (422, "The rulebook has no such outcome"),
    "unknown-queue": (422, "The rulebook has no such queue"),
    "unknown-tier": (422, "The rulebook has no such tier"),
    "unknown-advisor": (422, "The roster has no such advisor"),
    "too-many-excluded": (422, "Too many advisors would be excluded"),
    "unknown-skill": (422, "The rulebook has no such skill"),
    "note-needed": (422, "A note for whoever has it next is needed"),
    "reason-needed": (422, "The queue asks for a reason"),
    "too-large": (413, "The request is too large"),
    "too-fast": (429, "Too many requests"),
    "too-many": (429, "Too many sessions"),
    "gone": (409, "That is over"),
    "unseen": (409, "The customer has written again"),
    "no-step": (409, "There is no step above"),
    "no-room": (409, "The advisor has no room"),
    "unfit": (409, "The advisor can't take it"),
    "excluded": (409, "The advisor is excluded from this case"),
    "contended": (409, "The case was changed by somebody else"),
    "full": (503, "No new work is taken just now"),
    "unavailable": (503, "The service is not available"),
    "internal": (500, "An error of the service"),
}
_RETRYABLE: Final = frozenset({"contended", "full", "unavailable", "too-fast"})
_RESULTS: Final[Mapping[Result, tuple[str, str]]] = {
    Result.GONE: ("gone", "The offer has expired or was taken, or the case no longer is in a state for this."),
    Result.ABSENT: ("not-found", "The case is closed for good, or never was."),
    Result.NOT_YOURS: ("not-yours", "Only the advisor who has the case may do this."),
    Result.UNSEEN: ("unseen", "Nothing has changed. Read what he wrote, then resolve with `seen` naming that message."),
    Result.NO_ROOM: ("no-room", "It would put the advisor above his capacity."),
    Result.REFUSED: ("unfit", "The advisor can't take the case now; nothing has changed."),
    Result.UNFIT: ("unfit", "The advisor is offline or unknown."),
    Result.CONFLICT: ("contended", "The case has changed; look at it and repeat the request."),
    Result.FULL: ("full", _FULL),
    Result.FENCED: ("unavailable", "This process has been superseded."),
    Result.FOREIGN: ("unavailable", "The pool was rebuilt; this process restarts."),
    Result.NEWER: ("unavailable", "The state is of a newer version; this process restarts."),
    Result.SKEWED: ("unavailable", "This host's clock is wrong."),
    Result.NOT_HEAD: ("contended", "Another case is first in line."),
    Result.MOVED_ON: ("gone", "The conversation has moved to another pool."),
}
CODES: Final = tuple(_CODES)
