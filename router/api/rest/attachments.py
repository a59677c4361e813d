"""``GET /v1/blobs/{token}``: an attachment, by its short-lived link."""

from typing import Final

from aiohttp import web

from router.api.problems import refused
from router.runtime.blobs import Blobs
from router.runtime.clock import Clock
from router.runtime.downloads import send_file
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
        return await send_file(request, link, chunks, shown=_SHOWN)
