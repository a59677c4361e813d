"""The conversation of a case, as an advisor reads it."""

from collections.abc import Sequence
from typing import Final, NamedTuple, assert_never

import msgspec

from router.api.desks import Desk
from router.api.views import View
from router.contract.codec import rfc3339
from router.contract.ids import CaseId
from router.contract.messages import Attachment, Inquiry, Reply, StaffNote, TranscriptEntry
from router.runtime.blobs import BlobLink, Blobs

_ENTRY: Final[msgspec.json.Decoder[TranscriptEntry]] = msgspec.json.Decoder(TranscriptEntry)
_SUMMARY_CHARS: Final = 200
_FEW: Final = 8


class AttachmentView(View, frozen=True, kw_only=True):
    """A file. ``link`` works for a short while, for whoever holds it."""

    name: str
    media_type: str
    size_bytes: int
    link: str


class EntryView(View, frozen=True, kw_only=True):
    """One message. ``kind``: ``inquiry`` (from the customer), ``reply`` (to him), ``note`` (internal)."""

    kind: str
    at: str
    text: str
    id: str = ""
    author: str = ""
    subject: str = ""
    quoted: str = ""
    channel: str = ""
    automatic: bool = False
    fields: dict[str, str] = msgspec.field(default_factory=dict)
    attachments: tuple[AttachmentView, ...] = ()


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What the customer last said, in short."""

    inquiry: str = ""
    subject: str = ""
    summary: str = ""
    customer: str = ""


class Links:
    """Makes the addresses of attachments. ``ttl_s`` is how long each works."""

    def __init__(self, blobs: Blobs, *, ttl_s: float) -> None:
        self._blobs = blobs
        self._ttl_ms = round(ttl_s * 1000)

    def view(self, attachment: Attachment, now_ms: int) -> AttachmentView:
        link = BlobLink(attachment.blob, attachment.media_type, attachment.name)
        token = self._blobs.link(link, expires_at_ms=now_ms + self._ttl_ms)
        return AttachmentView(
            name=attachment.name,
            media_type=attachment.media_type,
            size_bytes=attachment.size_bytes,
            link=f"/v1/blobs/{token}",
        )


class Conversation(NamedTuple):
    """The last messages, oldest first; ``earlier`` when others stand before them."""

    entries: tuple[EntryView, ...]
    earlier: bool


async def conversation(desk: Desk, case: CaseId, links: Links, *, last: int) -> Conversation:
    """So many of the last messages of a case."""
    messages = await desk.reads.messages(desk.pool, case, last=last + 1)
    entries = transcript(messages[-last:], links, now_ms=desk.actor.now_ms())
    return Conversation(entries, earlier=len(messages) > last)


async def last_said(desk: Desk, case: CaseId, *, inquiry: str = "") -> Summary:
    """What the customer said last, or in the message named. It is nearly always among the last few."""
    found = summary(await desk.reads.messages(desk.pool, case, last=_FEW), of=inquiry)
    return found if found.inquiry else summary(await desk.reads.messages(desk.pool, case), of=inquiry)


def transcript(messages: Sequence[str], links: Links, *, now_ms: int) -> tuple[EntryView, ...]:
    """All that was said, oldest first. ``messages`` are the store's, as JSON."""
    return tuple(_view(_ENTRY.decode(text), links, now_ms) for text in messages)


def summary(messages: Sequence[str], *, of: str = "") -> Summary:
    """Of the customer's last message, or of the one named; empty when there is none."""
    for text in reversed(messages):
        entry = _ENTRY.decode(text)
        if isinstance(entry, Inquiry) and of in ("", entry.id):
            short = " ".join(entry.text.split())
            cut = short if len(short) <= _SUMMARY_CHARS else short[: _SUMMARY_CHARS - 1] + "…"
            name = entry.customer.name or entry.customer.id
            return Summary(inquiry=entry.id, subject=entry.subject, summary=cut, customer=name)
    return Summary()


def _view(entry: TranscriptEntry, links: Links, now_ms: int) -> EntryView:
    match entry:
        case Inquiry():
            return EntryView(
                kind="inquiry",
                at=rfc3339(entry.received_at_ms),
                text=entry.text,
                id=entry.id,
                author=entry.customer.name or entry.customer.id,
                subject=entry.subject,
                quoted=entry.quoted,
                channel=entry.channel,
                fields=entry.fields,
                attachments=tuple(links.view(file, now_ms) for file in entry.attachments),
            )
        case Reply():
            return EntryView(
                kind="reply",
                at=rfc3339(entry.created_at_ms),
                text=entry.text,
                id=entry.id,
                author=entry.advisor or "",
                subject=entry.subject,
                automatic=entry.automatic,
                attachments=tuple(links.view(file, now_ms) for file in entry.attachments),
            )
        case StaffNote():
            return EntryView(kind="note", at=rfc3339(entry.at_ms), text=entry.text, author=entry.author)
        case _:
            assert_never(entry)
