"""The Telegram channel: a bot's webhook in, its send methods out.

The webhook is set up once, with ``setWebhook``: the address ``https://.../telegram/ACCOUNT``, one of the
account's secret tokens as ``secret_token``, and ``message`` and ``edited_message`` as ``allowed_updates``.
"""

from collections.abc import Sequence
from typing import Final

from aiohttp import web

from channels.kit.customer_files import has_patience
from channels.kit.http_channel import HttpChannel, answered
from channels.kit.signatures import TELEGRAM
from channels.telegram.bot_api import BotApi
from channels.telegram.files import FileShelf
from channels.telegram.metrics import TelegramMetrics
from channels.telegram.normalise import CHANNEL, Arrival, Ignored, Written, files, id_of, inquiry, written
from channels.telegram.options import TelegramOptions
from channels.telegram.send import send_reply
from channels.telegram.updates import read
from router.contract.messages import Reply
from router.runtime.plugins import Account, Adapter, ChannelHost, OpenChannel, SendResult, failed

_MAX_UPDATE_BYTES: Final = 1024 * 1024


class TelegramAdapter:
    """Bots. Telegram takes no key of ours with a message, so one that is sent twice is shown twice."""

    name = CHANNEL
    deduplicates = False

    def options_type(self) -> type[TelegramOptions]:
        return TelegramOptions

    async def open(self, accounts: Sequence[Account[TelegramOptions]], host: ChannelHost) -> OpenChannel:
        return TelegramChannel(accounts, host)


class Bot:
    """One account at work."""

    def __init__(self, account: Account[TelegramOptions], host: ChannelHost) -> None:
        self.id = account.id
        self.pool = account.pool
        self.options = account.options
        self.api = BotApi(account.options, host.http)
        self.shelf = FileShelf(self.api, host.blobs, account=account.id, max_bytes=account.options.max_file_bytes)


class TelegramChannel(HttpChannel[Bot]):
    """The channel at work."""

    def __init__(self, accounts: Sequence[Account[TelegramOptions]], host: ChannelHost) -> None:
        super().__init__(CHANNEL, {account.id: Bot(account, host) for account in accounts})
        self._host = host
        self._metrics = TelegramMetrics(host.registry)

    def routes(self) -> Sequence[web.AbstractRouteDef]:
        return (web.post("/{account}", self._take),)

    def troubles(self) -> Sequence[str]:
        return [f"{account}: {bot.api.trouble}" for account, bot in self.accounts.items() if bot.api.trouble]

    async def send(self, reply: Reply) -> SendResult:
        bot = self.accounts.get(reply.to.account)
        if bot is None:
            return failed("there is no such account")
        return await send_reply(reply, bot.api, self._host)

    async def _take(self, request: web.Request) -> web.Response:
        """200 once the message is on the bus, or when the update holds none. Anything else makes Telegram
        send it again."""
        return await answered(self._taken, request)

    async def _taken(self, request: web.Request) -> web.Response:
        bot, now_ms = self.account_of(request), self._host.clock.now_ms()
        keys = bot.options.incoming_keys()
        body = await self.authentic(request, TELEGRAM, keys, now_ms=now_ms, max_bytes=_MAX_UPDATE_BYTES)
        said = written(read(body))
        if isinstance(said, Ignored):
            self._metrics.ignored(said)
        else:
            await self._accept(said, bot, now_ms)
        return web.Response(status=200)

    async def _accept(self, said: Written, bot: Bot, now_ms: int) -> None:
        arrival = Arrival(bot.id, bot.pool, bot.options.bot, now_ms)
        is_patient = has_patience(said.message.date * 1000, now_ms)
        kept = await bot.shelf.keep(files(said.message), id_of(said, arrival), is_patient=is_patient)
        self._metrics.missing_files.inc(len(kept.missing))
        await self._host.accept(inquiry(said, arrival, kept.attachments, missing=kept.missing))


def adapter() -> Adapter[TelegramOptions]:
    """The entry point's factory."""
    return TelegramAdapter()
