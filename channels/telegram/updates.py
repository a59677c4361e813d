"""The part of the Bot API's updates that a customer's message can be in. Members beyond it are passed over. Pure."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from channels.kit.failures import Malformed

Number = Annotated[int, Meta(ge=-(2**52), le=2**52)]
Name = Annotated[str, Meta(max_length=1000)]
FileId = Annotated[str, Meta(min_length=1, max_length=500)]


class User(msgspec.Struct, frozen=True, kw_only=True):
    id: Number
    is_bot: bool = False
    first_name: Name = ""
    last_name: Name = ""
    username: Name = ""
    language_code: Name = ""


class Chat(msgspec.Struct, frozen=True, kw_only=True):
    id: Number
    type: Name = "private"
    title: Name = ""


class Media(msgspec.Struct, frozen=True, kw_only=True):
    """A document, voice, audio, video, animation or one size of a photo."""

    file_id: FileId
    file_name: Name = ""
    mime_type: Name = ""
    file_size: Number | None = None


class Sticker(msgspec.Struct, frozen=True, kw_only=True):
    emoji: Name = ""


class Location(msgspec.Struct, frozen=True, kw_only=True):
    latitude: float
    longitude: float


class Contact(msgspec.Struct, frozen=True, kw_only=True):
    phone_number: Name
    first_name: Name = ""
    last_name: Name = ""


class Message(msgspec.Struct, frozen=True, kw_only=True, rename={"sender": "from"}):
    """``sender_chat`` stands for an administrator who writes without a name."""

    message_id: Number
    date: Annotated[int, Meta(ge=0, le=2**40)]
    chat: Chat
    sender: User | None = None
    sender_chat: Chat | None = None
    message_thread_id: Number | None = None
    is_topic_message: bool = False
    text: str = ""
    caption: str = ""
    photo: Annotated[tuple[Media, ...], Meta(max_length=50)] = ()
    document: Media | None = None
    voice: Media | None = None
    audio: Media | None = None
    video: Media | None = None
    video_note: Media | None = None
    animation: Media | None = None
    sticker: Sticker | None = None
    location: Location | None = None
    contact: Contact | None = None


class Update(msgspec.Struct, frozen=True, kw_only=True):
    """Other kinds of updates (votes, members, posts of channels) have neither message."""

    update_id: Annotated[int, Meta(ge=0, le=2**52)]
    message: Message | None = None
    edited_message: Message | None = None


_DECODER: Final = msgspec.json.Decoder(Update)


def read(body: bytes) -> Update:
    """Raises ``Malformed``."""
    try:
        return _DECODER.decode(body)
    except msgspec.DecodeError as exc:
        # msgspec says what was expected and where, and quotes nothing of the message.
        raise Malformed(f"The body is not an update: {exc}.") from None
    except (UnicodeDecodeError, RecursionError):
        raise Malformed("The body is not an update: it is not UTF-8 or nested too deeply.") from None
