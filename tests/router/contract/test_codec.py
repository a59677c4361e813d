"""Bytes, headers and times."""

from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.contract import (
    Advisor,
    Decoder,
    Delivery,
    Inquiry,
    IntakeMessage,
    RelayNote,
    Undecodable,
    cloud_headers,
    encode,
    from_rfc3339,
    header,
    rfc3339,
)
from tests.suites.wire_examples import EXAMPLES, INQUIRY

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
NOTE = b'{"pool":"main","gen":1,"number":2,"at_ms":%s}'
FIRST_MS = -62_135_596_800_000
LAST_MS = 253_402_300_799_999


def headers_with(traceparent: str) -> tuple[tuple[str, bytes], ...]:
    return cloud_headers(id="i", type="t", source="/s", time_ms=0, traceparent=traceparent)


def read_note(value: bytes | None) -> RelayNote:
    return Decoder(RelayNote).decode(value, RelayNote)


# -- values


def test_the_order_in_which_a_mapping_was_filled_does_not_matter() -> None:
    one = msgspec.structs.replace(INQUIRY, fields={"a": "1", "b": "2"})
    other = msgspec.structs.replace(INQUIRY, fields={"b": "2", "a": "1"})
    assert encode(one) == encode(other)


@given(text=st.text(alphabet=st.characters(exclude_categories=["Cs"])), number=st.integers(-(2**53) + 1, 2**53 - 1))
def test_a_message_survives_the_wire(text: str, number: int) -> None:
    message = msgspec.structs.replace(INQUIRY, text=text, subject=text, sent_at_ms=number, fields={text: text})
    assert Decoder(IntakeMessage).decode(encode(message), Inquiry) == message


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (None, "tombstone"),
        (b"", "truncated"),
        (b"\xff\xfe\x00", "malformed"),
        (b"hello", "malformed"),
        (b"null", "Expected `object`"),
        (b"[]", "Expected `object`"),
        (b"{}", "missing required field"),
        (NOTE % b"1" + b"x", "trailing"),
        (NOTE % b'"soon"', "$.at_ms"),
        (NOTE % b"1.5", "$.at_ms"),
        (NOTE % b"1e400", "$.at_ms"),
        (NOTE % b"9007199254740992", "$.at_ms"),
        (NOTE % b"-9007199254740992", "$.at_ms"),
        (NOTE % (b"9" * 30), "$.at_ms"),
        (NOTE % (b"9" * 5_000), "$.at_ms"),
        (NOTE.replace(b"main", b"\\ud800") % b"1", "surrogate"),
        (NOTE.replace(b"main", b"\\udc00\\ud800") % b"1", "surrogate"),
        (NOTE.replace(b"main", b"\xed\xa0\x80") % b"1", "utf-8"),
        (NOTE.replace(b"main", b"\xff") % b"1", "utf-8"),
        (NOTE % (b'1,"deep":' + b"[" * 100_000 + b"]" * 100_000), "recursion"),
        (NOTE % (b'1,"deep":' + b'{"a":' * 100_000), "recursion"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_what_is_no_message_is_undecodable_and_says_why(value: bytes | None, says: str) -> None:
    with pytest.raises(Undecodable) as caught:
        read_note(value)
    assert says in str(caught.value)


@given(st.binary(max_size=200))
def test_garbage_raises_undecodable_and_nothing_else(value: bytes) -> None:
    with pytest.raises(Undecodable):
        Decoder(IntakeMessage).decode(value, Inquiry)


@given(at=st.integers(0, 10_000), byte=st.binary(min_size=0, max_size=2))
def test_a_damaged_message_is_decoded_or_undecodable(at: int, byte: bytes) -> None:
    whole = encode(EXAMPLES["advisor"])
    place = at % len(whole)
    try:
        message = Decoder(Advisor).decode(whole[:place] + byte + whole[place + 1 :], Advisor)
    except Undecodable:
        return
    assert Decoder(Advisor).decode(encode(message), Advisor) == message


def test_another_message_of_the_union_is_undecodable() -> None:
    with pytest.raises(Undecodable, match="Inquiry was expected, the record holds Handover"):
        Decoder(IntakeMessage).decode(encode(EXAMPLES["handover"]), Inquiry)


def test_a_message_of_another_topic_is_undecodable() -> None:
    with pytest.raises(Undecodable, match="Invalid value 'delivery'"):
        Decoder(IntakeMessage).decode(encode(EXAMPLES["delivery"]), Inquiry)
    with pytest.raises(Undecodable):
        Decoder(Delivery).decode(encode(EXAMPLES["notice"]), Delivery)


# -- headers


def test_headers_are_those_of_a_binary_cloud_event() -> None:
    made = cloud_headers(id="주문-1", type="turnout.inquiry.v1", source="/turnout/accounts/m", time_ms=1_500)
    assert made == (
        ("ce_specversion", b"1.0"),
        ("ce_id", "주문-1".encode()),
        ("ce_type", b"turnout.inquiry.v1"),
        ("ce_source", b"/turnout/accounts/m"),
        ("ce_time", b"1970-01-01T00:00:01.500Z"),
        ("content-type", b"application/json"),
    )


def test_a_trace_is_carried() -> None:
    assert header(headers_with(TRACE), "traceparent") == TRACE


@pytest.mark.parametrize(
    "traceparent",
    [
        "",
        "00",
        TRACE.upper(),
        TRACE[:-1],
        f"{TRACE}0",
        f"{TRACE}\n",
        f" {TRACE}",
        TRACE.replace("-", "_"),
        TRACE.replace("4bf9", "4bfg"),
        TRACE.replace("4bf9", "４bf9"),
        f"ff{TRACE[2:]}",
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-4bf92f3577b34da6a3ce929d0e0e4736-{'0' * 16}-01",
    ],
)
def test_a_malformed_trace_is_left_out(traceparent: str) -> None:
    assert headers_with(traceparent) == headers_with("")


@pytest.mark.parametrize(
    ("name", "value"),
    [("a", "2"), ("b", "\ufffd"), ("c", ""), ("A", "")],
    ids=["the last wins", "no UTF-8", "absent", "names have a case"],
)
def test_reading_a_header(name: str, value: str) -> None:
    assert header((("a", b"1"), ("b", b"\xff"), ("a", b"2")), name) == value


# -- times


@pytest.mark.parametrize(
    ("time_ms", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_795_324_775_120, "2026-11-22T05:19:35.120Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (-1_001, "1969-12-31T23:59:58.999Z"),
        (FIRST_MS, "0001-01-01T00:00:00.000Z"),
        (LAST_MS, "9999-12-31T23:59:59.999Z"),
    ],
)
def test_a_time_is_written_in_utc_with_milliseconds(time_ms: int, text: str) -> None:
    assert rfc3339(time_ms) == text
    assert from_rfc3339(text) == time_ms


@given(st.integers(FIRST_MS, LAST_MS))
def test_a_time_survives_being_written(time_ms: int) -> None:
    assert from_rfc3339(rfc3339(time_ms)) == time_ms


@given(st.integers(FIRST_MS, LAST_MS - 1))
def test_times_sort_as_texts(time_ms: int) -> None:
    assert rfc3339(time_ms) < rfc3339(time_ms + 1)


@pytest.mark.parametrize("time_ms", [FIRST_MS - 1, LAST_MS + 1, 10**30, -(10**30)])
def test_a_time_beyond_the_calendar_overflows(time_ms: int) -> None:
    with pytest.raises(OverflowError):
        rfc3339(time_ms)


@given(st.integers(0, LAST_MS - 86_400_000), st.integers(-1_439, 1_439))
def test_any_offset_names_the_same_instant(time_ms: int, minutes: int) -> None:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=time_ms)
    assert from_rfc3339(moment.astimezone(timezone(timedelta(minutes=minutes))).isoformat()) == time_ms


@pytest.mark.parametrize(
    ("text", "time_ms"),
    [
        ("1970-01-01t00:00:01z", 1_000),
        ("1970-01-01T09:00:00+09:00", 0),
        ("1970-01-01T00:00:00.1Z", 100),
        ("1970-01-01T00:00:00.123999999Z", 123),
        ("1969-12-31T23:59:59.9999Z", -1),
        ("1970-01-01T00:00:00-00:00", 0),
    ],
)
def test_all_forms_of_a_time_are_read(text: str, time_ms: int) -> None:
    assert from_rfc3339(text) == time_ms


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-11-22",
        "2026-11-22T05:19:35",
        "2026-11-22 05:19:35Z",
        "2026-11-22T05:19Z",
        "2026-W01-1T00:00:00Z",
        "20261122T051935Z",
        "2026-02-30T00:00:00Z",
        "2026-11-22T24:00:01Z",
        "2026-11-22T05:19:60Z",
        "2026-11-22T05:19:35+0900",
        "2026-11-22T05:19:35+24:00",
        "2026-11-22T05:19:35,5Z",
        "2026-11-22T05:19:35Z\n",
        "２０２６-11-22T05:19:35Z",
        "12026-11-22T05:19:35Z",
    ],
)
def test_what_is_no_time_is_undecodable(text: str) -> None:
    with pytest.raises(Undecodable):
        from_rfc3339(text)
