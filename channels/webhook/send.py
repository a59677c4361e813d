"""Posts a reply to the customer's system, signed, so that a repeat is known by its id."""

import base64
from collections.abc import Mapping
from typing import Final

import msgspec

from channels.kit.posting import Letterbox, post
from channels.kit.reply_files import FilesRefused, read_files
from channels.kit.signatures import standard_headers
from channels.webhook.normalise import CONVERSATION
from channels.webhook.options import WebhookOptions
from router.contract.codec import rfc3339
from router.contract.messages import Reply
from router.runtime.plugins import ChannelHost, SendResult, failed

_MAX_FILES_BYTES: Final = 10 * 1024 * 1024
_ENCODER: Final = msgspec.json.Encoder()


async def post_reply(reply: Reply, options: WebhookOptions, host: ChannelHost) -> SendResult:
    """As ``post``, a repeat with the same ``webhook-id``; an account that takes no replies, or an attachment that is
    gone or too large, is failed."""
    if options.reply_url is None:
        return failed("this account has no reply_url")
    try:
        files = await read_files(reply, host.blobs, max_bytes=_MAX_FILES_BYTES)
    except FilesRefused as exc:
        return failed(str(exc))
    body = _ENCODER.encode(_document(reply, files))
    place = (options.reply_url, options.reply_timeout_s, options.allow_private)
    headers = standard_headers(options.outgoing_keys(), id_=reply.id, now_ms=host.clock.now_ms(), body=body)
    return await post(Letterbox(*place, "the customer's system", "reply_url"), body, headers, host)


def _document(reply: Reply, files: Mapping[str, bytes]) -> dict[str, object]:
    return {
        "type": "reply",
        "id": reply.id,
        "conversation": reply.thread.get(CONVERSATION, ""),
        "to": reply.to.address,
        "text": reply.text,
        "subject": reply.subject,
        "automatic": reply.automatic,
        "created_at": rfc3339(reply.created_at_ms),
        "attachments": [
            {
                "name": each.name,
                "media_type": each.media_type,
                "content_base64": base64.b64encode(files[each.blob]).decode(),
            }
            for each in reply.attachments
        ],
    }
