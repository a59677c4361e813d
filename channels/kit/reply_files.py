"""The attachments of a reply, read before anything of it goes out."""

from collections.abc import Mapping

from router.contract.messages import Reply
from router.runtime.blobs import Blobs
from router.runtime.errors import BlobMissing, BlobsUnavailable, SendLater


class FilesRefused(Exception):
    """The attachments will never go out; the text is the reason to give."""


async def read_files(reply: Reply, blobs: Blobs, *, max_bytes: int) -> Mapping[str, bytes]:
    """Their contents by their ``blob``.

    Raises ``FilesRefused`` when one is gone or all together are more than the channel takes, ``SendLater`` while the
    object store is away.
    """
    if sum(file.size_bytes for file in reply.attachments) > max_bytes:
        raise FilesRefused("the attachments are too large for this channel")
    try:
        return {
            file.blob: b"".join([chunk async for chunk in await blobs.get(file.blob)]) for file in reply.attachments
        }
    except BlobMissing:
        raise FilesRefused("an attachment is gone") from None
    except BlobsUnavailable as exc:
        raise SendLater("the attachments can't be read just now") from exc
