"""The Messenger channel: a page's signed events in, the Send API out.

The app's webhook is set up with the address ``https://.../messenger/ACCOUNT``, the account's verify token and
the fields ``messages`` and ``messaging_postbacks``. An app has one address for all its pages: accounts with
the same app secret share what comes to any of them.
"""

import hmac
import logging
from collections.abc import Sequence
from typing import Final

from aiohttp import web

from channels.kit.customer_files import has_patience
from channels.kit.failures import Malformed
from channels.kit.http_channel import HttpChannel, answered
from channels.kit.problems import Refused, malformed
from channels.kit.signatures import META
from channels.messenger.events import Event, read
from channels.messenger.files import FileShelf
from channels.messenger.graph import SendApi
from channels.messenger.metrics import MessengerMetrics
from channels.messenger.normalise import CHANNEL, Arrival, Ignored, files, id_of, inquiry, written
from channels.messenger.options import MessengerOptions
from channels.messenger.send import send_reply
from router.contract.messages import Reply
from router.runtime.errors import RecordRefused
from router.runtime.plugins import Account, Adapter, ChannelHost, OpenChannel, SendResult, failed

LOG = logging.getLogger(__name__)

_MAX_DELIVERY_BYTES: Final = 4 * 1024 * 1024
_MAX_CHALLENGE: Final = 200


class MessengerAdapter:
    """Pages. Messenger takes no key of ours with a message, so one that is sent twice is shown twice."""

    name = CHANNEL
    deduplicates = False

    def options_type(self) -> type[MessengerOptions]:
        return MessengerOptions

    async def open(self, accounts: Sequence[Account[MessengerOptions]], host: ChannelHost) -> OpenChannel:
        return MessengerChannel(accounts, host)


class Page:
    """One account at work."""

    def __init__(self, account: Account[MessengerOptions], host: ChannelHost) -> None:
        self.id = account.id
        self.pool = account.pool
        self.options = account.options
        self.api = SendApi(account.options, host.http)
        self.shelf = FileShelf(account.id, account.options, host)

    def shares_app(self, other: "Page") -> bool:
        """Whether the other page's events may come through this one's address."""
        return bool(set(self.options.app_secrets) & set(other.options.app_secrets))


class MessengerChannel(HttpChannel[Page]):
    """The channel at work."""

    def __init__(self, accounts: Sequence[Account[MessengerOptions]], host: ChannelHost) -> None:
        super().__init__(CHANNEL, {account.id: Page(account, host) for account in accounts})
        self._host = host
        self._metrics = MessengerMetrics(host.registry)

    def routes(self) -> Sequence[web.AbstractRouteDef]:
        return (web.get("/{account}", self._prove), web.post("/{account}", self._take))

    def troubles(self) -> Sequence[str]:
        return [f"{account}: {page.api.trouble}" for account, page in self.accounts.items() if page.api.trouble]

    async def send(self, reply: Reply) -> SendResult:
        page = self.accounts.get(reply.to.account)
        if page is None:
            return failed("there is no such account")
        return await send_reply(reply, page.api, self._host, human_agent=page.options.human_agent)

    async def _prove(self, request: web.Request) -> web.Response:
        """Messenger asks whether the address is ours: the challenge back, to who knows the verify token."""
        return await answered(self._proven, request)

    async def _proven(self, request: web.Request) -> web.Response:
        page = self.account_of(request)
        token = request.query.get("hub.verify_token", "").encode("utf-8", "replace")
        is_known = hmac.compare_digest(token, page.options.verify_token.reveal().encode())
        challenge = request.query.get("hub.challenge", "")
        if request.query.get("hub.mode") != "subscribe" or not is_known:
            raise Refused(403, "The verify token is missing or not the one of this account.")
        if not (challenge.isascii() and challenge.isprintable() and len(challenge) <= _MAX_CHALLENGE):
            raise malformed("hub.challenge is not one.")
        return web.Response(text=challenge, content_type="text/plain")

    async def _take(self, request: web.Request) -> web.Response:
        """200 once every message of the delivery is on the bus. Anything else makes Messenger deliver all of
        it again, which changes nothing for those that are on the bus already."""
        return await answered(self._taken, request)

    async def _taken(self, request: web.Request) -> web.Response:
        page, now_ms = self.account_of(request), self._host.clock.now_ms()
        keys = page.options.incoming_keys()
        body = await self.authentic(request, META, keys, now_ms=now_ms, max_bytes=_MAX_DELIVERY_BYTES)
        events = read(body)
        for event in events:
            if isinstance(event, Event):
                await self._event(event, page, now_ms)
        # Those that can be read are safe by now.
        unreadable = [event for event in events if isinstance(event, Malformed)]
        if unreadable:
            raise unreadable[0]
        return web.Response(text="EVENT_RECEIVED")

    async def _event(self, event: Event, through: Page, now_ms: int) -> None:
        said = written(event)
        page = self._page_of(event, through)
        if isinstance(said, Ignored) or page is None:
            self._metrics.ignored(said if isinstance(said, Ignored) else Ignored.OTHER_PAGE)
            return
        is_patient = has_patience(said.sent_at_ms or 0, now_ms)
        kept = await page.shelf.keep(files(said), id_of(said, page.id), is_patient=is_patient)
        self._metrics.missing_files.inc(len(kept.missing))
        arrival = Arrival(page.id, page.pool, now_ms)
        try:
            await self._host.accept(inquiry(said, arrival, kept.attachments, missing=kept.missing))
        except RecordRefused:
            # Counted by the host. It must not keep the rest of the delivery from the bus, again and again.
            LOG.warning(
                "a message to %s can never be taken",
                page.id,
                extra={"event": "messenger.never", "account": page.id},
            )

    def _page_of(self, event: Event, through: Page) -> Page | None:
        """The account that the event is for: that of the address, or another page of the same app."""
        to = event.recipient.id if event.recipient is not None else ""
        if to == through.options.page_id:
            return through
        others = self.accounts.values()
        return next((page for page in others if page.options.page_id == to and page.shares_app(through)), None)


def adapter() -> Adapter[MessengerOptions]:
    """The entry point's factory."""
    return MessengerAdapter()
