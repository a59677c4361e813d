"""Takes a mail that came in: read, its files stored, on the bus; only then does the sender hear yes."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final

from channels.email.automatic import Bounce
from channels.email.listener import BUSY, TAKEN, TOO_LARGE, Received
from channels.email.metrics import EmailMetrics
from channels.email.normalise import Envelope, Mail, Mailbox, normalise
from channels.email.threads import without_plus
from router.contract.messages import Delivery, DeliveryState
from router.runtime.errors import BlobTooLarge, IntakeFull, RecordRefused, RuntimeFailure
from router.runtime.plugins import ChannelHost

LOG = logging.getLogger(__name__)

NEVER: Final = "554 5.6.0 This message can't be taken"
_INLINE_BYTES: Final = 32_768


class Mailroom:
    """All mailboxes of the process. ``addresses`` has every address of each, in lower case."""

    def __init__(self, addresses: Mapping[str, Mailbox], host: ChannelHost, metrics: EmailMetrics) -> None:
        self._addresses = addresses
        self._host = host
        self._metrics = metrics

    def is_known(self, address: str) -> bool:
        return without_plus(address) in self._addresses

    async def take(self, received: Received) -> str:
        """The SMTP reply: 250 when every mailbox has it on the bus; 451 to have it sent again (taking it twice
        makes one inquiry); 552 or 554 if it will never do."""
        mailboxes = self._mailboxes(received.recipients)
        if any(len(received.data) > mailbox.max_bytes for mailbox, _ in mailboxes):
            self._metrics.refused("too-large")
            return TOO_LARGE
        try:
            for mailbox, recipient in mailboxes:
                await self._take_for(mailbox, recipient, received)
        except BlobTooLarge:
            self._metrics.refused("too-large")
            return TOO_LARGE
        except RecordRefused:
            self._metrics.refused("never")
            return NEVER
        except RuntimeFailure as exc:
            LOG.warning("a mail is put off: %s", type(exc).__name__, extra={"event": "email.put_off"})
            self._metrics.refused("full" if isinstance(exc, IntakeFull) else "bus")
            return BUSY
        return TAKEN

    def _mailboxes(self, recipients: Sequence[str]) -> list[tuple[Mailbox, str]]:
        """Each mailbox once, with the first of its addresses that the mail was sent to."""
        found: dict[str, tuple[Mailbox, str]] = {}
        for recipient in recipients:
            mailbox = self._addresses[without_plus(recipient)]
            found.setdefault(mailbox.account, (mailbox, recipient))
        return list(found.values())

    async def _take_for(self, mailbox: Mailbox, recipient: str, received: Received) -> None:
        envelope = Envelope(received.sender, recipient, self._host.clock.now_ms())
        if len(received.data) <= _INLINE_BYTES:
            mail = normalise(received.data, envelope, mailbox)
        else:
            mail = await asyncio.to_thread(normalise, received.data, envelope, mailbox)
        if mail.bounce is not None:
            await self._host.report(_delivery(mail.bounce, mailbox, envelope.received_at_ms))
            self._metrics.received("bounce-told")
            return
        await self._store(mail)
        await self._host.accept(mail.inquiry)
        self._metrics.received("automatic" if mail.inquiry.automatic else "person")

    async def _store(self, mail: Mail) -> None:
        for attachment, data in zip(mail.inquiry.attachments, mail.files, strict=True):
            await self._host.blobs.put(attachment.blob, _chunks(data), max_bytes=len(data))


def _delivery(bounce: Bounce, mailbox: Mailbox, at_ms: int) -> Delivery:
    said = f" ({bounce.status})" if bounce.status else ""
    return Delivery(
        reply=bounce.sent.reply,
        pool=mailbox.pool,
        case=bounce.sent.case,
        account=mailbox.account,
        conversation=bounce.sent.conversation,
        state=DeliveryState.FAILED,
        at_ms=at_ms,
        reason=f"the mail came back as undeliverable{said}",
    )


async def _chunks(data: bytes) -> AsyncIterator[bytes]:
    yield data
