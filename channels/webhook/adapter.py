"""The webhook channel: signed JSON in and out (Standard Webhooks), for whatever has no adapter of its own."""

from collections.abc import AsyncIterator, Sequence

import msgspec
from aiohttp import web

from channels.kit.http_channel import HttpChannel, answered
from channels.kit.signatures import STANDARD
from channels.kit.text import one_line
from channels.webhook.normalise import CHANNEL, Arrival, File, Message, content, id_of, inquiry, read
from channels.webhook.options import WebhookOptions
from channels.webhook.send import post_reply
from router.contract.ids import AccountId
from router.contract.messages import Attachment, Reply
from router.runtime.blobs import blob_key
from router.runtime.plugins import Account, Adapter, ChannelHost, OpenChannel, SendResult, failed


class WebhookAdapter:
    """``POST /webhook/ACCOUNT`` in, ``POST reply_url`` out. The receiver of replies drops repeats by
    ``webhook-id``, as Standard Webhooks ask of it."""

    name = CHANNEL
    deduplicates = True

    def options_type(self) -> type[WebhookOptions]:
        return WebhookOptions

    async def open(self, accounts: Sequence[Account[WebhookOptions]], host: ChannelHost) -> OpenChannel:
        return WebhookChannel(accounts, host)


class WebhookChannel(HttpChannel[Account[WebhookOptions]]):
    """The channel at work."""

    def __init__(self, accounts: Sequence[Account[WebhookOptions]], host: ChannelHost) -> None:
        super().__init__(CHANNEL, {account.id: account for account in accounts})
        self._host = host

    def routes(self) -> Sequence[web.AbstractRouteDef]:
        return (web.post("/{account}", self._take),)

    async def send(self, reply: Reply) -> SendResult:
        account = self.accounts.get(reply.to.account)
        if account is None:
            return failed("there is no such account")
        return await post_reply(reply, account.options, self._host)

    async def _take(self, request: web.Request) -> web.Response:
        """202 once the message is on the bus; posting it again gives the same answer."""
        return await answered(self._taken, request)

    async def _taken(self, request: web.Request) -> web.Response:
        account, now_ms = self.account_of(request), self._host.clock.now_ms()
        keys, max_bytes = account.options.incoming_keys(), account.options.max_bytes
        message = read(await self.authentic(request, STANDARD, keys, now_ms=now_ms, max_bytes=max_bytes))
        attachments = await self._store(message, account.id)
        made = inquiry(message, Arrival(account.id, account.pool, now_ms), attachments)
        await self._host.accept(made)
        return web.Response(
            body=msgspec.json.encode({"id": made.id, "conversation": made.conversation}),
            status=202,
            content_type="application/json",
        )

    async def _store(self, message: Message, account: AccountId) -> tuple[Attachment, ...]:
        contents = [content(file) for file in message.attachments]  # all are read before any is kept
        return tuple(
            [
                await self._store_one(file, data, blob_key(account, id_of(message, account), number))
                for number, (file, data) in enumerate(zip(message.attachments, contents, strict=True))
            ]
        )

    async def _store_one(self, file: File, data: bytes, key: str) -> Attachment:
        stored = await self._host.blobs.put(key, _chunks(data), max_bytes=len(data))
        return Attachment(
            name=one_line(file.name, 200) or "file",
            media_type=one_line(file.media_type, 200),
            size_bytes=stored.size_bytes,
            sha256=stored.sha256,
            blob=stored.key,
        )


async def _chunks(data: bytes) -> AsyncIterator[bytes]:
    yield data


def adapter() -> Adapter[WebhookOptions]:
    """The entry point's factory."""
    return WebhookAdapter()
