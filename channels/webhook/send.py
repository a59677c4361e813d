"""Posts a reply to the customer's system, signed, so that a repeat is known by its id."""

import asyncio
import base64
import io
from typing import Final

import aiohttp
import msgspec

from channels.kit.outbound import AddressRefused, destination
from channels.kit.signatures import standard_headers
from channels.webhook.normalise import CONVERSATION
from channels.webhook.options import WebhookOptions
from router.contract.codec import rfc3339
from router.contract.messages import Attachment, Reply
from router.runtime.errors import BlobMissing, SendLater
from router.runtime.plugins import ChannelHost, SendResult, failed, sent

_MAX_FILES_BYTES: Final = 10 * 1024 * 1024
_PASSING: Final = frozenset({408, 409, 421, 425, 429})
_ENCODER: Final = msgspec.json.Encoder()


class FilesTooLarge(Exception):
    """The attachments of a reply are more than one request carries."""


async def post_reply(reply: Reply, options: WebhookOptions, host: ChannelHost) -> SendResult:
    """2xx is sent; what may pass (no connection, 408, 429, 5xx) raises ``SendLater``, as a repeat carries the
    same ``webhook-id``; everything else is failed."""
    if options.reply_url is None:
        return failed("this account has no reply_url")
    try:
        body = _ENCODER.encode(await _document(reply, host))
        target = await destination(options.reply_url, allow_private=options.allow_private)
    except (BlobMissing, FilesTooLarge):
        return failed("an attachment is gone or too large for this channel")
    except AddressRefused:
        return failed("reply_url leads to an address that is not public; see allow_private")
    except OSError:
        raise SendLater("the name in reply_url cannot be resolved") from None
    headers = standard_headers(options.outgoing_keys(), id_=reply.id, now_ms=host.clock.now_ms(), body=body)
    try:
        async with (
            asyncio.timeout(options.reply_timeout_s),
            host.http.post(
                target.url,
                data=io.BytesIO(body),
                headers={**headers, **target.headers, "Content-Type": "application/json"},
                server_hostname=target.server_hostname,
                allow_redirects=False,
            ) as response,
        ):
            return _result(response.status, response.headers.get("Retry-After"))
    except (aiohttp.ClientError, TimeoutError, OSError):
        raise SendLater("the customer's system did not answer") from None


def _result(status: int, retry_after: str | None) -> SendResult:
    if 200 <= status < 300:
        return sent()
    if status in _PASSING or status >= 500:
        raise SendLater(f"the customer's system answered {status}", _seconds(retry_after))
    return failed(f"the customer's system answered {status}")


def _seconds(retry_after: str | None) -> float | None:
    if retry_after is None or not (retry_after.isascii() and retry_after.isdigit()):
        return None
    return float(min(int(retry_after[:9]), 3600))


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
