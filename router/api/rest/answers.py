"""Answers of the API as HTTP."""

from typing import Final

import msgspec
from aiohttp import web

from router.api.wording.phrases import Language, language_of

_ENCODER: Final = msgspec.json.Encoder()


def json_answer(body: object, *, status: int = 200) -> web.Response:
    """A JSON body; nobody on the way may keep it."""
    return web.Response(
        body=_ENCODER.encode(body),
        status=status,
        content_type="application/json",
        headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"},
    )


def language(request: web.Request) -> Language:
    """What an answer in words is read in: as the query says, else as the client's header does."""
    return language_of(request.query.get("lang", "") or request.headers.get("Accept-Language", ""))


def number(text: str | None, *, default: int, most: int) -> int:
    """A number of a query, brought between 0 and ``most``; what is no number counts as absent."""
    if text is None or not text.isascii() or not text.isdigit():
        return default
    return min(int(text[:9]), most)
