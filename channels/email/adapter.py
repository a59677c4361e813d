"""The e-mail channel: SMTP in, SMTP out, threads by signed tokens and References."""

import ssl
from collections.abc import Mapping, Sequence
from typing import Final

from aiohttp.web import AbstractRouteDef

from channels.email.compose import Writer, compose
from channels.email.listener import Listener, Reception
from channels.email.metrics import EmailMetrics
from channels.email.normalise import CHANNEL, Mailbox
from channels.email.options import EmailOptions
from channels.email.reception import Mailroom
from channels.email.threads import MailTokens
from channels.kit.mail_relay import RelayClient
from channels.kit.reply_files import FilesRefused, read_files
from router.contract.ids import AccountId
from router.contract.messages import Reply
from router.runtime.errors import PluginFailed
from router.runtime.plugins import Account, Adapter, ChannelHost, OpenChannel, SendResult, failed

_MAX_FILES_BYTES: Final = 18 * 1024 * 1024


class EmailAdapter:
    """Mailboxes. A reply that is sent twice has one Message-ID, by which receivers drop the second."""

    name = CHANNEL
    deduplicates = True

    def options_type(self) -> type[EmailOptions]:
        return EmailOptions

    async def open(self, accounts: Sequence[Account[EmailOptions]], host: ChannelHost) -> OpenChannel:
        if not accounts:
            raise PluginFailed("the e-mail channel needs an account")
        if len({account.options.listen for account in accounts}) > 1:
            raise PluginFailed("all mailboxes of a process share one port: give them the same `listen`")
        mailboxes = _mailboxes(accounts, host)
        metrics = EmailMetrics(host.registry)
        room = Mailroom(mailboxes, host, metrics)
        listen = accounts[0].options.listen
        reception = Reception(room.is_known, room.take, max(account.options.max_bytes for account in accounts))
        listener = Listener(
            listen,
            reception,
            clock=host.clock,
            refused=metrics.refused,
            forgotten=metrics.limits_forgotten.inc,
        )
        try:
            await listener.start()
        except ssl.SSLError as exc:
            raise PluginFailed(f"the certificate or key of `listen` can't be used: {exc.reason}") from exc
        except OSError as exc:
            raise PluginFailed(f"can't listen on {listen.host} port {listen.port}: {exc.strerror or exc}") from exc
        return EmailChannel(accounts, host, listener)


class EmailChannel:
    """The channel at work."""

    def __init__(self, accounts: Sequence[Account[EmailOptions]], host: ChannelHost, listener: Listener) -> None:
        self._host = host
        self._listener = listener
        self._writers = {account.id: _writer(account, host) for account in accounts}
        self._relays = {account.id: RelayClient(account.options.relay) for account in accounts}

    def routes(self) -> Sequence[AbstractRouteDef]:
        return ()

    def ports(self) -> Mapping[str, int]:
        return {"smtp": self._listener.port}

    def troubles(self) -> Sequence[str]:
        return [f"{account}: {relay.trouble}" for account, relay in self._relays.items() if relay.trouble]

    async def send(self, reply: Reply) -> SendResult:
        writer, relay = self._writers.get(reply.to.account), self._relays.get(reply.to.account)
        if writer is None or relay is None:
            return failed("there is no such account")
        try:
            files = await read_files(reply, self._host.blobs, max_bytes=_MAX_FILES_BYTES)
            mail = compose(reply, [(each, files[each.blob]) for each in reply.attachments], writer)
        except FilesRefused as exc:
            return failed(str(exc))
        except ValueError:
            return failed("what is known as the customer's mail address is none")
        return await relay.send(mail)

    async def stop_intake(self) -> None:
        await self._listener.stop()

    async def close(self, within_s: float) -> None:
        await self._listener.close(within_s)


def _mailboxes(accounts: Sequence[Account[EmailOptions]], host: ChannelHost) -> dict[str, Mailbox]:
    """Every address with its mailbox."""
    addresses: dict[str, AccountId] = {}
    for account in accounts:
        for address in (account.options.address, *account.options.aliases):
            if addresses.setdefault(address.lower(), account.id) != account.id:
                raise PluginFailed(f"two accounts have the address {address}")
    own = frozenset(addresses)
    mailboxes = {account.id: _mailbox(account, own, host) for account in accounts}
    return {address: mailboxes[account] for address, account in addresses.items()}


def _mailbox(account: Account[EmailOptions], own: frozenset[str], host: ChannelHost) -> Mailbox:
    return Mailbox(
        account=account.id,
        pool=account.pool,
        address=account.options.address,
        own=own,
        tokens=MailTokens(host.signer, account.id),
        max_bytes=account.options.max_bytes,
        is_behind_list=account.options.list_mail == "personal",
    )


def _writer(account: Account[EmailOptions], host: ChannelHost) -> Writer:
    options = account.options
    return Writer(
        options.address, options.display_name, MailTokens(host.signer, account.id), is_plus=options.plus_addressing
    )


def adapter() -> Adapter[EmailOptions]:
    """The entry point's factory."""
    return EmailAdapter()
