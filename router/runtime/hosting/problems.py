"""Refusals over HTTP: short problem documents (RFC 9457) that tell nothing of the inside."""

import math
from http import HTTPStatus
from typing import Final

import msgspec
from aiohttp import web

from router.runtime.errors import BlobTooLarge, IntakeFull, RuntimeFailure

CONTENT_TYPE: Final = "application/problem+json"
_LATER_S: Final = 2.0
_LONGEST_S: Final = 3600


def problem(status: int, detail: str, *, retry_after_s: float | None = None) -> web.Response:
    """A refusal. ``detail`` is for the sender's developer: what to mend, in one sentence."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    response = web.Response(body=msgspec.json.encode(body), status=status, content_type=CONTENT_TYPE)
    if retry_after_s is not None:
        response.headers["Retry-After"] = str(whole_seconds(retry_after_s))
    return response


def problem_of(failure: RuntimeFailure) -> web.Response:
    """What a failure of the host means to the outside: 429 when too much comes in, 503 when something that
    the service needs is away, 413 and 422 for what is never taken."""
    if isinstance(failure, IntakeFull):
        return problem(429, "Too much is coming in: send it again later.", retry_after_s=failure.after_s)
    if failure.retryable:
        return problem(503, "The service cannot take this now: send it again later.", retry_after_s=_LATER_S)
    if isinstance(failure, BlobTooLarge):
        return problem(413, "An attachment is too large.")
    return problem(422, "This message can never be taken.")


def whole_seconds(seconds: float) -> int:
    """For Retry-After: at least one, at most an hour."""
    return _LONGEST_S if math.isinf(seconds) else min(_LONGEST_S, max(1, math.ceil(seconds)))
