"""``GET /v1/blobs/{token}``: an attachment, by its short-lived link."""

from typing import Final
from urllib.parse import quote

from aiohttp import web

from router.api.problems import refused
from router.runtime.blobs import Blobs
from router.runtime.clock import Clock
from router.runtime.errors import BlobMissing, TokenRefused

# Shown by browsers without running anything of it.
_SHOWN: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf", "text/plain"})


class Attachments:
    """The token is the key: it opens one object, for a short while. What customers send is never run here."""

    def __init__(self, blobs: Blobs, clock: Clock) -> None:
        self._blobs = blobs
        self._clock = clock

    async def show(self, request: web.Request) -> web.StreamResponse:
        try:
            link = self._blobs.open_link(request.match_info["token"], now_ms=self._clock.now_ms())
            chunks = await self._blobs.get(link.key)
        except TokenRefused as exc:
            raise refused("not-found", "The link is not valid any more; read the case again for a new one.") from exc
        except BlobMissing as exc:
            raise refused("not-found", "The attachment was deleted.") from exc
        is_shown = link.media_type in _SHOWN
        kind = "inline" if is_shown else "attachment"
        answer = web.StreamResponse(
            headers={
                "Content-Type": link.media_type if is_shown else "application/octet-stream",
                "Content-Disposition": f"{kind}; filename*=UTF-8''{quote(link.name, safe='')}",
                "Content-Security-Policy": "default-src 'none'; sandbox",
                "X-Content-Type-Options": "nosniff",
                "Cache-Control": "private, no-store",
                "Referrer-Policy": "no-referrer",
            }
        )
        await answer.prepare(request)
        async for chunk in chunks:
            await answer.write(chunk)
        await answer.write_eof()
        return answer
