"""Files from outside as an HTTP answer, which no browser runs."""

from collections.abc import AsyncIterable, Set
from urllib.parse import quote

from aiohttp import web

from router.runtime.blobs import BlobLink


async def send_file(
    request: web.Request, link: BlobLink, chunks: AsyncIterable[bytes], *, shown: Set[str] = frozenset()
) -> web.StreamResponse:
    """Stream a file to be saved under its name. Media types in ``shown``, of which nothing can run, are shown in the
    browser and say what they are; all others are plain bytes."""
    is_shown = link.media_type in shown
    kind = "inline" if is_shown else "attachment"
    answer = web.StreamResponse(
        headers={
            "Content-Type": link.media_type if is_shown else "application/octet-stream",
            "Content-Disposition": f"{kind}; filename*=UTF-8''{quote(link.name, safe='')}",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "private, no-store",
            "Referrer-Policy": "no-referrer",
            "X-Robots-Tag": "noindex",
        }
    )
    await answer.prepare(request)
    async for chunk in chunks:
        await answer.write(chunk)
    await answer.write_eof()
    return answer
