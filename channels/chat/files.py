"""Files that an advisor sends: links in the chat, good for a while, to whoever holds them."""

from collections.abc import Sequence
from typing import Final

from aiohttp import web

from channels.chat.frames import FileLink
from channels.kit.problems import not_found
from channels.kit.text import one_line
from router.contract.ids import AccountId
from router.contract.messages import Attachment
from router.runtime.blobs import BlobLink
from router.runtime.downloads import send_file
from router.runtime.errors import BlobMissing, TokenRefused
from router.runtime.plugins import ChannelHost

_LINK_MS: Final = 7 * 86_400_000


def links(attachments: Sequence[Attachment], account: AccountId, host: ChannelHost) -> tuple[FileLink, ...]:
    """Where the customer's browser gets the files; made afresh whenever they are shown to him."""
    return tuple(_link(attachment, account, host) for attachment in attachments)


def _link(attachment: Attachment, account: AccountId, host: ChannelHost) -> FileLink:
    name = one_line(attachment.name, 200) or "file"
    blob = BlobLink(attachment.blob, one_line(attachment.media_type, 200), name)
    token = host.blobs.link(blob, expires_at_ms=host.clock.now_ms() + _LINK_MS)
    return FileLink(
        name=name,
        media_type=blob.media_type,
        size_bytes=attachment.size_bytes,
        url=f"{host.base_url}/{account}/files/{token}",
    )


async def download(request: web.Request, host: ChannelHost) -> web.StreamResponse:
    """The file, always to be saved and never to be run. Raises ``Refused`` for a link that is no longer good."""
    try:
        link = host.blobs.open_link(request.match_info["token"], now_ms=host.clock.now_ms())
        chunks = await host.blobs.get(link.key)
    except (TokenRefused, BlobMissing):
        raise not_found() from None
    return await send_file(request, link, chunks)
