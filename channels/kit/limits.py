"""Bounds on what is read from outside, before any of it is looked at."""

import asyncio
from typing import Final

from aiohttp import web

from channels.kit.problems import Refused, too_large

_BODY_S: Final = 20.0


async def read_body(request: web.Request, *, max_bytes: int, within_s: float = _BODY_S) -> bytes:
    """The body of a request. Raises ``Refused``: 413 as soon as it is known to be too large, 408 when it
    comes too slowly, 400 when it breaks off."""
    if (request.content_length or 0) > max_bytes:
        raise too_large(max_bytes)
    chunks: list[bytes] = []
    size_bytes = 0
    try:
        async with asyncio.timeout(within_s):
            async for chunk in request.content.iter_any():
                size_bytes += len(chunk)
                if size_bytes > max_bytes:
                    raise too_large(max_bytes)
                chunks.append(chunk)
    except TimeoutError:
        raise Refused(408, f"The message did not come within {within_s:g} seconds.") from None
    except web.RequestPayloadError:
        raise Refused(400, "The message broke off or is not encoded as it says.") from None
    return b"".join(chunks)
