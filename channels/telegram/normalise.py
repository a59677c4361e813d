"""From an update of the Bot API to an inquiry. Pure."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Final, NamedTuple

from channels.kit.text import clean, one_line
from channels.telegram.updates import Media, Message, Update
from router.contract.ids import AccountId, InquiryId, PoolId, conversation_id, inquiry_id
from router.contract.messages import Address, Attachment, Customer, Inquiry

CHANNEL: Final = "telegram"
CHAT: Final = "chat"
TOPIC: Final = "topic"
MESSAGE: Final = "message"
"""The members of ``thread``: where the message was written, and which one an answer refers to."""

_START: Final = "/start"


class Ignored(StrEnum):
    """Why an update is no inquiry."""

    OTHER_KIND = "other-kind"
    BOT = "bot"
    START = "start"
    NOTHING_SAID = "nothing-said"


class Arrival(NamedTuple):
    """What the channel knows of an update beside its body. ``bot`` is the bot's number."""

    account: AccountId
    pool: PoolId
    bot: str
    received_at_ms: int


class FileRef(NamedTuple):
    """A file as it is named to ``getFile``, and how it is to be shown."""

    file_id: str
    name: str
    media_type: str
    size_bytes: int | None


class Written(NamedTuple):
    """A message that a customer wrote, and when it was edited the update that says so."""

    message: Message
    edit: int | None = None


def written(update: Update) -> Written | Ignored:
    """What a person wrote in this update. Pressing Start says nothing yet, and bots get no answer: two of
    them would never end."""
    message = update.message or update.edited_message
    if message is None or message.chat.type == "channel":
        return Ignored.OTHER_KIND
    if message.sender is not None and message.sender.is_bot and message.sender_chat is None:
        return Ignored.BOT
    if message.sender is None and message.sender_chat is None:
        return Ignored.OTHER_KIND
    if message.text.strip() == _START:
        return Ignored.START
    if not (_text(message).strip() or files(message) or message.location or message.contact):
        return Ignored.NOTHING_SAID
    return Written(message, None if update.message is not None else update.update_id)


def files(message: Message) -> tuple[FileRef, ...]:
    """The files of a message; of a photo's sizes the largest."""
    return tuple(_files(message))


def id_of(said: Written, arrival: Arrival) -> InquiryId:
    """The inquiry's id, the same on every redelivery. Messages are numbered per chat and bot; an edited one
    keeps its number and is an inquiry of its own."""
    message = said.message
    key = f"{arrival.bot}/{message.chat.id}/{message.message_id}"
    return inquiry_id(arrival.account, key if said.edit is None else f"{key}/{said.edit}")


def inquiry(
    said: Written, arrival: Arrival, attachments: tuple[Attachment, ...] = (), *, missing: tuple[str, ...] = ()
) -> Inquiry:
    """The inquiry that a message is. ``attachments`` are stored already; ``missing`` names the files that
    Telegram doesn't give out."""
    message = said.message
    thread = _thread(message)
    return Inquiry(
        id=id_of(said, arrival),
        pool=arrival.pool,
        account=arrival.account,
        channel=CHANNEL,
        conversation=conversation_id(arrival.account, "/".join(thread.values())),
        customer=_customer(message),
        reply_to=Address(account=arrival.account, address=thread[CHAT]),
        received_at_ms=arrival.received_at_ms,
        text=clean(_text(message)),
        labels=() if said.edit is None else ("edited",),
        fields=_fields(message, missing),
        attachments=attachments,
        thread={**thread, MESSAGE: str(message.message_id)},
        sent_at_ms=message.date * 1000,
    )


def _text(message: Message) -> str:
    return message.text or message.caption or (message.sticker.emoji if message.sticker else "")


def _thread(message: Message) -> dict[str, str]:
    # A topic of a forum is a conversation of its own; replies within a plain group only look like one.
    if message.is_topic_message and message.message_thread_id is not None:
        return {CHAT: str(message.chat.id), TOPIC: str(message.message_thread_id)}
    return {CHAT: str(message.chat.id)}


def _customer(message: Message) -> Customer:
    if message.sender_chat is not None:
        return Customer(id=str(message.sender_chat.id), name=one_line(message.sender_chat.title))
    sender = message.sender
    assert sender is not None, "written() has looked"
    name = one_line(f"{sender.first_name} {sender.last_name}") or one_line(sender.username)
    return Customer(id=str(sender.id), name=name, locale=one_line(sender.language_code, 35))


def _fields(message: Message, missing: tuple[str, ...]) -> dict[str, str]:
    fields: dict[str, str] = {}
    if message.location is not None:
        fields["location"] = f"{message.location.latitude:.6f},{message.location.longitude:.6f}"
    if message.contact is not None:
        contact = message.contact
        fields["contact"] = one_line(f"{contact.first_name} {contact.last_name} {contact.phone_number}")
    if missing:
        fields["files_not_fetched"] = ", ".join(missing)
    return fields


def _files(message: Message) -> Iterator[FileRef]:
    if message.photo:
        largest = max(message.photo, key=lambda size: size.file_size or 0)
        yield _file(largest, "photo.jpg", "image/jpeg")
    # An animation comes as a document too, for those who don't know it.
    kinds = (
        (message.document, "file", "application/octet-stream"),
        (message.voice, "voice.ogg", "audio/ogg"),
        (message.audio, "audio.mp3", "audio/mpeg"),
        (message.video, "video.mp4", "video/mp4"),
        (message.video_note, "video.mp4", "video/mp4"),
        (None if message.document else message.animation, "animation.mp4", "video/mp4"),
    )
    yield from (_file(media, name, kind) for media, name, kind in kinds if media is not None)


def _file(media: Media, name: str, media_type: str) -> FileRef:
    return FileRef(
        file_id=media.file_id,
        name=one_line(media.file_name, 200) or name,
        media_type=one_line(media.mime_type, 200) or media_type,
        size_bytes=media.file_size,
    )
