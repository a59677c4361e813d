"""Sizes: what fits passes untouched, what doesn't is made to fit and says so."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.contract import (
    MAX_INQUIRY_BYTES,
    SHORTENED,
    AccountId,
    Address,
    Attachment,
    Customer,
    EventType,
    Inquiry,
    TooLarge,
    case_fits,
    cut,
    encode,
    inquiry_fits,
    shorten,
)
from tests.suites.wire_cases import case_state
from tests.suites.wire_examples import INQUIRY, MAIN

PIECES = [
    "a",
    "한",
    "😀",
    "é",
    "e\u0301",
    "\n",
    '"',
    "\\",
    "\u0000",
    "\u007f",
    "👩\u200d👩\u200d👧",
    "👍🏽",
    "\u2028",
    "ᄒ",
]
PATTERNS = st.lists(st.sampled_from(PIECES), min_size=1, max_size=4).map("".join)
COUNTS = st.sampled_from([0, 1, 60, 3_000, 70_000, 300_000])
LONG = st.builds(lambda pattern, count: (pattern * count)[:count], PATTERNS, COUNTS)
FEW = st.sampled_from([0, 1, 5, 150, 3_000])
MEDIUM = st.builds(lambda pattern, count: (pattern * count)[:count], PATTERNS, st.sampled_from([0, 3, 300, 5_000]))
KEPT = ("id", "pool", "account", "channel", "conversation", "reply_to", "received_at_ms", "thread", "automatic")


def attachment(number: int, name: str) -> Attachment:
    return Attachment(
        name=name, media_type=name, size_bytes=number, sha256="0" * 64, blob=f"mail/{INQUIRY.id}/{number}"
    )


def inquiry(**members: Any) -> Inquiry:
    return msgspec.structs.replace(INQUIRY, **members)


@st.composite
def inquiries(draw: st.DrawFn) -> Inquiry:
    name, value, tag = draw(MEDIUM), draw(MEDIUM), draw(MEDIUM)
    return inquiry(
        text=draw(LONG),
        quoted=draw(LONG),
        subject=draw(LONG),
        language=draw(st.none() | MEDIUM),
        labels=tuple(f"{number}{tag}" for number in range(draw(FEW))),
        fields={f"{number}{name}": value for number in range(draw(FEW))},
        attachments=tuple(attachment(number, name) for number in range(draw(FEW))),
        customer=Customer(id="u", name=draw(LONG), locale=tag, segment=value, tags=(tag,) * draw(FEW)),
    )


@settings(max_examples=60, deadline=None)
@given(inquiries())
def test_a_shortened_inquiry_fits_and_is_itself(whole: Inquiry) -> None:
    short = shorten(whole)
    assert len(encode(short)) <= MAX_INQUIRY_BYTES
    assert inquiry_fits(short)
    assert all(getattr(short, name) == getattr(whole, name) for name in KEPT)
    assert short.customer.id == whole.customer.id
    assert whole.text.startswith(short.text)
    assert whole.quoted.startswith(short.quoted)
    assert (SHORTENED in short.labels) == (short is not whole) == (not inquiry_fits(whole))
    assert shorten(short) is short


def test_the_greatest_inquiry_that_fits_is_left_alone() -> None:
    room = MAX_INQUIRY_BYTES - len(encode(inquiry(text="")))
    overhead = len('"text":"",')
    fits = inquiry(text="a" * (room - overhead))
    assert len(encode(fits)) == MAX_INQUIRY_BYTES
    assert shorten(fits) is fits
    beyond = shorten(inquiry(text=fits.text + "a"))
    assert SHORTENED in beyond.labels
    assert inquiry_fits(beyond)


def test_quoted_text_goes_before_text() -> None:
    short = shorten(inquiry(text="한" * 30_000, quoted="글" * 80_000))
    assert short.text == "한" * 30_000
    assert 0 < len(short.quoted) < 80_000


def test_text_goes_before_fields_but_only_down_to_128_kb() -> None:
    fields = {f"field {number}": "값" * 100 for number in range(90)}
    short = shorten(inquiry(text="한" * 200_000, quoted="", fields=fields))
    assert short.fields == fields
    assert len(short.text.encode()) >= 131_072


def test_text_is_not_cut_further_than_needed() -> None:
    short = shorten(inquiry(text="a" * 400_000, quoted=""))
    assert len(encode(short)) == MAX_INQUIRY_BYTES


def test_no_attachment_is_lost_to_long_text() -> None:
    files = tuple(attachment(number, "사진.jpg") for number in range(50))
    short = shorten(inquiry(text="한" * 200_000, quoted="글" * 200_000, attachments=files))
    assert short.attachments == files


def test_the_label_is_the_first_and_there_once() -> None:
    short = shorten(inquiry(text="a" * 300_000, labels=("mail", SHORTENED)))
    assert short.labels == (SHORTENED, "mail")


@pytest.mark.parametrize(
    "members",
    [
        {"thread": {"references": "<r@example.com> " * 20_000}},
        {"reply_to": Address(account=AccountId("mail"), address="a" * 300_000)},
        {"id": "i" * 300_000},
        {"customer": Customer(id="u" * 300_000)},
    ],
    ids=["thread", "reply_to", "id", "customer"],
)
def test_what_an_inquiry_is_named_by_is_never_cut(members: dict[str, Any]) -> None:
    with pytest.raises(TooLarge):
        shorten(inquiry(**members))


@pytest.mark.parametrize(
    ("text", "max_bytes", "kept"),
    [
        ("abc", 3, "abc"),
        ("abc", 2, "ab"),
        ("abc", 0, ""),
        ("abc", -5, ""),
        ("", 0, ""),
        ("한글", 5, "한"),
        ("한글", 2, ""),
        ("a😀", 4, "a"),
        ('a"b', 2, "a"),
        ('a"b', 3, 'a"'),
        ("a\u0000b", 6, "a"),
        ("a\u0000b", 7, "a\u0000"),
        ("ae\u0301b", 2, "a"),
        ("ae\u0301b", 4, "ae\u0301"),
        ("a👍🏽", 7, "a"),
        ("a👩\u200d👧", 5, "a"),
        ("a👩\u200d👧", 8, "a"),
        ("a👩\u200d👧", 12, "a👩\u200d👧"),
        ("a❤\ufe0f", 4, "a"),
    ],
)
def test_text_is_cut_between_characters(text: str, max_bytes: int, kept: str) -> None:
    assert cut(text, max_bytes) == kept


def test_text_of_nothing_but_accents_is_cut_all_the_same() -> None:
    assert cut("a" + "\u0301" * 1_000, 401) == "a" + "\u0301" * 200


@given(text=st.text(alphabet=st.sampled_from(PIECES).flatmap(st.sampled_from), max_size=60), room=st.integers(-1, 90))
def test_a_cut_text_is_a_beginning_that_fits(text: str, room: int) -> None:
    kept = cut(text, room)
    assert text.startswith(kept)
    assert len(msgspec.json.encode(kept)) - 2 <= max(room, 0)
    assert kept == text or len(msgspec.json.encode(text)) - 2 > room


@pytest.mark.parametrize("kind", EventType)
def test_the_cases_of_the_examples_fit(kind: EventType) -> None:
    assert case_fits(MAIN, case_state(kind))


def test_a_case_of_more_than_64_kb_does_not_fit() -> None:
    state = case_state(EventType.ADMIT)
    assert not case_fits(MAIN, msgspec.structs.replace(state, why=f'"{"한" * 21_800}"'))
    assert case_fits(MAIN, msgspec.structs.replace(state, why=f'"{"한" * 20_000}"'))
