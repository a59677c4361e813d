"""From an event of a page to an inquiry. Pure."""

from enum import StrEnum
from typing import Final, NamedTuple
from urllib.parse import unquote, urlsplit

from channels.kit.text import clean, one_line
from channels.messenger.events import Event, Media
from router.contract.ids import AccountId, InquiryId, PoolId, conversation_id, inquiry_id
from router.contract.messages import Address, Attachment, Customer, Inquiry

CHANNEL: Final = "messenger"
_GET_STARTED: Final = "GET_STARTED"
_MEDIA: Final = {
    "image": ("image.jpg", "image/jpeg"),
    "video": ("video.mp4", "video/mp4"),
    "audio": ("audio.mp4", "audio/mp4"),
    "file": ("file", "application/octet-stream"),
}


class Ignored(StrEnum):
    """Why an event is no inquiry."""

    OTHER_KIND = "other-kind"
    OTHER_PAGE = "other-page"
    ECHO = "echo"
    DELETED = "deleted"
    GET_STARTED = "get-started"


class Arrival(NamedTuple):
    """What the channel knows of an event beside its body."""

    account: AccountId
    pool: PoolId
    received_at_ms: int


class FileRef(NamedTuple):
    """A file by its address, and how it is to be shown if the server doesn't say better."""

    url: str
    name: str
    media_type: str


class Written(NamedTuple):
    """What a customer wrote or pressed. ``key`` names it, on every redelivery alike."""

    key: str
    customer: str
    text: str
    attachments: tuple[Media, ...]
    sent_at_ms: int | None


def written(event: Event) -> Written | Ignored:
    """What a person says by this event. The page's own messages come back as echoes and say nothing; nor
    does the button that only opens the chat."""
    if event.sender is None:
        return Ignored.OTHER_KIND
    customer, sent_at_ms = event.sender.id, event.timestamp or None
    if event.message is not None:
        message = event.message
        if message.is_echo:
            return Ignored.ECHO
        if message.is_deleted:
            return Ignored.DELETED
        return Written(message.mid, customer, message.text, message.attachments, sent_at_ms)
    if event.postback is not None:
        pressed = event.postback
        if pressed.payload.upper() == _GET_STARTED:
            return Ignored.GET_STARTED
        key = pressed.mid or f"postback/{customer}/{event.timestamp}"
        return Written(key, customer, pressed.title, (), sent_at_ms)
    return Ignored.OTHER_KIND


def files(said: Written) -> tuple[FileRef, ...]:
    """The files of a message. What is shared by a link only is no file of the customer's."""
    return tuple(
        FileRef(each.payload.url, _name(each.payload.url) or _MEDIA[each.type][0], _MEDIA[each.type][1])
        for each in said.attachments
        if each.type in _MEDIA and each.payload is not None and each.payload.url
    )


def id_of(said: Written, account: AccountId) -> InquiryId:
    """The inquiry's id: the same whenever the same message is delivered."""
    return inquiry_id(account, said.key)


def inquiry(
    said: Written, arrival: Arrival, attachments: tuple[Attachment, ...] = (), *, missing: tuple[str, ...] = ()
) -> Inquiry:
    """The inquiry that a message is. ``attachments`` are stored already; ``missing`` names the files that
    could not be had. What Messenger shows to people only is labelled ``unsupported``."""
    text, fields = clean(said.text), _fields(said, missing)
    says_nothing = not (text.strip() or fields or attachments)
    return Inquiry(
        id=id_of(said, arrival.account),
        pool=arrival.pool,
        account=arrival.account,
        channel=CHANNEL,
        conversation=conversation_id(arrival.account, said.customer),
        customer=Customer(id=clean(said.customer)),
        reply_to=Address(account=arrival.account, address=clean(said.customer)),
        received_at_ms=arrival.received_at_ms,
        text=text,
        labels=("unsupported",) if says_nothing else (),
        fields=fields,
        attachments=attachments,
        sent_at_ms=said.sent_at_ms,
    )


def _fields(said: Written, missing: tuple[str, ...]) -> dict[str, str]:
    shared = [_shared(each) for each in said.attachments if each.type not in _MEDIA]
    fields = {"shared": "\n".join(found)} if (found := [each for each in shared if each]) else {}
    if missing:
        fields["files_not_fetched"] = ", ".join(missing)
    return fields


def _shared(media: Media) -> str:
    payload = media.payload
    title = media.title or (payload.title if payload else None) or ""
    url = media.url or (payload.url if payload else None) or ""
    return one_line(f"{title} {url}", 1000)


def _name(url: str) -> str:
    try:
        path = urlsplit(url).path
    except ValueError:
        return ""
    return one_line(unquote(path.rpartition("/")[2], errors="replace"), 200)
