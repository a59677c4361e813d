"""The sizes of what travels (design section 4), and how an inquiry that is too large is made to fit."""

import unicodedata
from collections.abc import Callable
from typing import Final

import msgspec

from router.contract.case import MAX_CASE_BYTES, CaseState
from router.contract.codec import encode
from router.contract.envelope import wire_case
from router.contract.errors import TooLarge
from router.contract.ids import PoolId
from router.contract.messages import MAX_INQUIRY_BYTES, Attachment, Customer, Inquiry

SHORTENED: Final = "shortened"
"""The label of an inquiry that lost something on the way in."""

_KEPT_TEXT_BYTES: Final = 131_072
_KEPT_ITEMS: Final = 100
_KEPT_CHARS: Final = 200
_JOINERS: Final = frozenset("\u200d\ufe0e\ufe0f\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff")
_LONGEST_CHARACTER: Final = 32

_ENCODER: Final = msgspec.json.Encoder()


def inquiry_fits(inquiry: Inquiry) -> bool:
    """Whether the bus takes it: at most 256 KB encoded."""
    return len(encode(inquiry)) <= MAX_INQUIRY_BYTES


def case_fits(pool: PoolId, state: CaseState) -> bool:
    """Whether a post-state keeps its bound: at most 64 KB encoded."""
    return len(wire_case(pool, state)) <= MAX_CASE_BYTES


def shorten(inquiry: Inquiry) -> Inquiry:
    """The inquiry itself if it fits, else one that does, with the label ``shortened``.

    What is least missed goes first: quoted text, then text beyond 128 KB, overlong names and values, fields
    and attachments beyond a hundred, and more of each until it fits. Text ends at a whole character. Ids,
    ``reply_to`` and ``thread`` are never touched: raises ``TooLarge`` when they alone are too much.
    """
    longest = max(len(inquiry.text), len(inquiry.quoted))
    if longest <= MAX_INQUIRY_BYTES and inquiry_fits(inquiry):
        return inquiry
    labels = (SHORTENED, *(label for label in inquiry.labels if label != SHORTENED))
    # A character takes a byte or more, so what goes here had to go; the steps then needn't encode megabytes.
    text, quoted = inquiry.text[:MAX_INQUIRY_BYTES], inquiry.quoted[:MAX_INQUIRY_BYTES]
    shorter = msgspec.structs.replace(inquiry, labels=labels, text=text, quoted=quoted)
    for step in _STEPS:
        if (over := _over(shorter)) <= 0:
            return shorter
        shorter = step(shorter, over)
    if _over(shorter) > 0:
        raise TooLarge(f"inquiry {inquiry.id[:_KEPT_CHARS]} is too large without any of its content")
    return shorter


def cut(text: str, max_bytes: int) -> str:
    """The longest beginning of ``text`` that takes at most ``max_bytes`` inside a JSON string and doesn't end
    in the middle of a character as a person sees it (accents, joined emoji)."""
    if len(text) <= max_bytes and _size(text) <= max_bytes:
        return text
    low, high = 0, min(len(text), max(max_bytes, 0))
    while low < high:
        middle = (low + high + 1) // 2
        if _size(text[:middle]) <= max_bytes:
            low = middle
        else:
            high = middle - 1
    return text[: _whole(text, low)]


def _size(text: str) -> int:
    return len(_ENCODER.encode(text)) - 2


def _whole(text: str, end: int) -> int:
    # Bounded, so that text of nothing but accents is cut somewhere all the same.
    for place in range(end, max(end - _LONGEST_CHARACTER, 0), -1):
        if place == len(text) or not (_joins(text[place]) or text[place - 1] == "\u200d"):
            return place
    return end if end > _LONGEST_CHARACTER else 0


def _joins(char: str) -> bool:
    return char in _JOINERS or unicodedata.category(char) in ("Mn", "Me", "Mc")


def _over(inquiry: Inquiry) -> int:
    return len(encode(inquiry)) - MAX_INQUIRY_BYTES


def _less_quoted(inquiry: Inquiry, over: int) -> Inquiry:
    return msgspec.structs.replace(inquiry, quoted=cut(inquiry.quoted, _size(inquiry.quoted) - over))


def _less_text(inquiry: Inquiry, over: int) -> Inquiry:
    room = max(_size(inquiry.text) - over, _KEPT_TEXT_BYTES)
    return msgspec.structs.replace(inquiry, text=cut(inquiry.text, room))


def _tidy(inquiry: Inquiry, _over: int) -> Inquiry:
    return msgspec.structs.replace(
        inquiry,
        subject=cut(inquiry.subject, _KEPT_CHARS * 4),
        language=None if inquiry.language is None else cut(inquiry.language, _KEPT_CHARS),
        labels=tuple(cut(label, _KEPT_CHARS) for label in inquiry.labels[:_KEPT_ITEMS]),
        fields={cut(name, _KEPT_CHARS): cut(value, _KEPT_CHARS * 4) for name, value in _first(inquiry.fields)},
        attachments=tuple(_tidy_attachment(item) for item in inquiry.attachments[:_KEPT_ITEMS]),
        customer=_tidy_customer(inquiry.customer),
    )


def _first(fields: dict[str, str]) -> list[tuple[str, str]]:
    return list(fields.items())[:_KEPT_ITEMS]


def _tidy_attachment(attachment: Attachment) -> Attachment:
    return msgspec.structs.replace(
        attachment,
        name=cut(attachment.name, _KEPT_CHARS),
        media_type=cut(attachment.media_type, _KEPT_CHARS),
    )


def _tidy_customer(customer: Customer) -> Customer:
    return msgspec.structs.replace(
        customer,
        name=cut(customer.name, _KEPT_CHARS),
        locale=cut(customer.locale, _KEPT_CHARS),
        segment=cut(customer.segment, _KEPT_CHARS),
        tags=tuple(cut(tag, _KEPT_CHARS) for tag in customer.tags[:_KEPT_ITEMS]),
    )


def _no_fields(inquiry: Inquiry, _over: int) -> Inquiry:
    return msgspec.structs.replace(inquiry, fields={})


def _still_less_text(inquiry: Inquiry, over: int) -> Inquiry:
    return msgspec.structs.replace(inquiry, text=cut(inquiry.text, _size(inquiry.text) - over))


def _fewer_attachments(inquiry: Inquiry, _over: int) -> Inquiry:
    return msgspec.structs.replace(inquiry, attachments=inquiry.attachments[: _KEPT_ITEMS // 10])


def _bare(inquiry: Inquiry, _over: int) -> Inquiry:
    customer = Customer(id=inquiry.customer.id)
    return msgspec.structs.replace(inquiry, labels=(SHORTENED,), subject="", attachments=(), customer=customer)


_STEPS: Final[tuple[Callable[[Inquiry, int], Inquiry], ...]] = (
    _less_quoted,
    _less_text,
    _tidy,
    _still_less_text,
    _no_fields,
    _fewer_attachments,
    _bare,
)
