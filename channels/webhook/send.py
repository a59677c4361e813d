"""Posts a reply to the customer's system, signed, so that a repeat is known by its id."""

import base64
from typing import Final

import msgspec

from channels.kit.posting import Letterbox, post
from channels.kit.signatures import standard_headers
from channels.webhook.normalise import CONVERSATION
from channels.webhook.options import WebhookOptions
from router.contract.codec import rfc3339
from router.contract.messages import Attachment, Reply
from router.runtime.errors import BlobMissing
from router.runtime.plugins import ChannelHost, SendResult, failed

_MAX_FILES_BYTES: Final = 10 * 1024 * 1024
_ENCODER: Final = msgspec.json.Encoder()


class FilesTooLarge(Exception):
    """The attachments of a reply are more than one request carries."""


async def post_reply(reply: Reply, options: WebhookOptions, host: ChannelHost) -> SendResult:
    """As ``post``, a repeat with the same ``webhook-id``; an account that takes no replies, or an attachment that is
    gone or too large, is failed."""
    if options.reply_url is None:
        return failed("this account has no reply_url")
    try:
        body = _ENCODER.encode(await _document(reply, host))
    except (BlobMissing, FilesTooLarge):
        return failed("an attachment is gone or too large for this channel")
    place = (options.reply_url, options.reply_timeout_s, options.allow_private)
    headers = standard_headers(options.outgoing_keys(), id_=reply.id, now_ms=host.clock.now_ms(), body=body)
    return await post(Letterbox(*place, "the customer's system", "reply_url"), body, headers, host)


async def _document(reply: Reply, host: ChannelHost) -> dict[str, object]:
    return {
        "type": "reply",
        "id": reply.id,
        "conversation": reply.thread.get(CONVERSATION, ""),
        "to": reply.to.address,
        "text": reply.text,
        "subject": reply.subject,
        "automatic": reply.automatic,
        "created_at": rfc3339(reply.created_at_ms),
        "attachments": await _files(reply.attachments, host),
    }


async def _files(attachments: tuple[Attachment, ...], host: ChannelHost) -> list[dict[str, object]]:
    if sum(attachment.size_bytes for attachment in attachments) > _MAX_FILES_BYTES:
        raise FilesTooLarge
    files: list[dict[str, object]] = []
    for attachment in attachments:
        chunks = [chunk async for chunk in await host.blobs.get(attachment.blob)]
        content = base64.b64encode(b"".join(chunks)).decode()
        files.append({"name": attachment.name, "media_type": attachment.media_type, "content_base64": content})
    return files
