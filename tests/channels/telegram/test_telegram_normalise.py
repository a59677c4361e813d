from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.kit.failures import Malformed
from channels.telegram.normalise import Arrival, Ignored, Written, files, id_of, inquiry, written
from channels.telegram.updates import read
from router.contract.codec import encode
from router.contract.ids import AccountId, PoolId, conversation_id, inquiry_id
from router.contract.messages import Inquiry

SHOP = AccountId("shop")
ARRIVAL = Arrival(SHOP, PoolId("default"), "77", 1_760_000_000_000)
KIM = {"id": 5, "is_bot": False, "first_name": "Kim", "last_name": "Min\nJi", "language_code": "ko"}
LEAST: dict[str, Any] = {
    "message_id": 11,
    "date": 1_750_000_000,
    "chat": {"id": 5, "type": "private"},
    "from": KIM,
    "text": "hello",
}
SILENT = {**LEAST, "text": ""}


def update(message: dict[str, Any], *, kind: str = "message", number: int = 9) -> bytes:
    return msgspec.json.encode({"update_id": number, kind: message})


def said(message: dict[str, Any], *, kind: str = "message", number: int = 9) -> Written:
    found = written(read(update(message, kind=kind, number=number)))
    assert isinstance(found, Written)
    return found


def normalised(**changes: Any) -> Inquiry:
    return inquiry(said({**LEAST, **changes}), ARRIVAL)


def test_the_least_message() -> None:
    made = normalised()
    assert made.id == inquiry_id(SHOP, "77/5/11")
    assert made.conversation == conversation_id(SHOP, "5")
    assert (made.channel, made.account, made.pool) == ("telegram", "shop", "default")
    assert (made.reply_to.account, made.reply_to.address) == ("shop", "5")
    assert (made.customer.id, made.customer.name, made.customer.locale) == ("5", "Kim Min Ji", "ko")
    assert made.thread == {"chat": "5", "message": "11"}
    assert (made.text, made.labels, made.fields) == ("hello", (), {})
    assert (made.received_at_ms, made.sent_at_ms) == (ARRIVAL.received_at_ms, 1_750_000_000_000)


@pytest.mark.parametrize(
    ("changes", "name", "value"),
    [
        ({"text": "", "caption": "look"}, "text", "look"),
        ({"text": "", "sticker": {"emoji": "\U0001f44d"}}, "text", "\U0001f44d"),
        ({"text": "a\u202eb\x07"}, "text", "ab"),
        ({"text": "/start order-17"}, "text", "/start order-17"),
        ({"location": {"latitude": 37.5, "longitude": 127}}, "fields", {"location": "37.500000,127.000000"}),
        (
            {"contact": {"phone_number": "+82 10", "first_name": "Lee"}},
            "fields",
            {"contact": "Lee +82 10"},
        ),
        ({"sent_by": "tomorrow's member"}, "text", "hello"),
    ],
)
def test_what_a_message_says(changes: dict[str, Any], name: str, value: object) -> None:
    assert getattr(normalised(**changes), name) == value


@pytest.mark.parametrize(
    ("changes", "customer", "name"),
    [
        ({"from": {"id": 6, "username": "min"}}, "6", "min"),
        ({"from": {"id": 6, "is_bot": True}, "sender_chat": {"id": -9, "title": "Desk"}}, "-9", "Desk"),
    ],
)
def test_who_writes(changes: dict[str, Any], customer: str, name: str) -> None:
    made = normalised(**changes).customer
    assert (made.id, made.name) == (customer, name)


def test_a_topic_of_a_forum_is_a_conversation_of_its_own() -> None:
    made = normalised(chat={"id": -100, "type": "supergroup"}, message_thread_id=3, is_topic_message=True)
    assert made.thread == {"chat": "-100", "topic": "3", "message": "11"}
    assert made.conversation != normalised(chat={"id": -100, "type": "supergroup"}, message_thread_id=3).conversation


def test_an_edit_is_an_inquiry_of_the_same_conversation() -> None:
    first = normalised()
    edits = [inquiry(said(LEAST, kind="edited_message", number=number), ARRIVAL) for number in (10, 10, 11)]
    assert len({first.id, *(edit.id for edit in edits)}) == 3
    assert {first.conversation} == {edit.conversation for edit in edits}
    assert edits[0].labels == ("edited",)


def test_another_bots_message_of_the_same_number_is_another_message() -> None:
    assert id_of(said(LEAST), ARRIVAL) != id_of(said(LEAST), ARRIVAL._replace(bot="78"))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"update_id":1,"callback_query":{"id":"1"}}', Ignored.OTHER_KIND),
        (update({**LEAST, "chat": {"id": 5, "type": "channel"}}), Ignored.OTHER_KIND),
        (update({name: value for name, value in LEAST.items() if name != "from"}), Ignored.OTHER_KIND),
        (update({**LEAST, "from": {"id": 6, "is_bot": True}}), Ignored.BOT),
        (update({**LEAST, "text": " /start\n"}), Ignored.START),
        (update(SILENT), Ignored.NOTHING_SAID),
        (update({**SILENT, "new_chat_title": "x"}), Ignored.NOTHING_SAID),
    ],
)
def test_what_is_no_inquiry_has_its_reason(body: bytes, reason: Ignored) -> None:
    assert written(read(body)) is reason


@pytest.mark.parametrize(
    ("said_by", "expected"),
    [
        (
            {"photo": [{"file_id": "s", "file_size": 9}, {"file_id": "l", "file_size": 90}, {"file_id": "m"}]},
            [("l", "photo.jpg", "image/jpeg", 90)],
        ),
        (
            {"document": {"file_id": "d", "file_name": "a\u202e/b.pdf", "mime_type": "application/pdf"}},
            [("d", "a/b.pdf", "application/pdf", None)],
        ),
        (
            {"document": {"file_id": "d"}, "animation": {"file_id": "a"}},
            [("d", "file", "application/octet-stream", None)],
        ),
        ({"animation": {"file_id": "a"}}, [("a", "animation.mp4", "video/mp4", None)]),
        ({"voice": {"file_id": "v"}}, [("v", "voice.ogg", "audio/ogg", None)]),
        ({"video_note": {"file_id": "v"}}, [("v", "video.mp4", "video/mp4", None)]),
    ],
)
def test_the_files_of_a_message(said_by: dict[str, Any], expected: list[tuple[Any, ...]]) -> None:
    assert list(files(said({**SILENT, **said_by}).message)) == expected


def test_files_that_were_not_fetched_are_named() -> None:
    made = inquiry(said(LEAST), ARRIVAL, missing=("film.mp4", "b"))
    assert made.fields == {"files_not_fetched": "film.mp4, b"}


@pytest.mark.parametrize(
    ("body", "tell"),
    [
        (b"", "truncated"),
        (b"[]", "object"),
        (b"\xff", "malformed"),
        (b'{"x":' + b"[" * 100_000, "nested"),
        (b"{}", "update_id"),
        (update({**LEAST, "message_id": "1"}), "$.message.message_id"),
        (update({**LEAST, "chat": {}}), "$.message.chat"),
        (update({**LEAST, "date": 2**60}), "$.message.date"),
        (update({**LEAST, "document": {"file_id": ""}}), "file_id"),
    ],
)
def test_what_is_no_update_is_refused_with_the_place(body: bytes, tell: str) -> None:
    with pytest.raises(Malformed) as caught:
        read(body)
    assert tell in str(caught.value)
    assert len(str(caught.value)) < 300


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
PERSON = st.fixed_dictionaries({"id": st.integers()}, optional={"first_name": st.text(), "is_bot": st.booleans()})
MEDIA = st.fixed_dictionaries({"file_id": st.text(min_size=1)}, optional={"file_name": st.text(), "file_size": JSON})
MESSAGE = st.fixed_dictionaries(
    {"message_id": st.integers(), "date": st.integers(), "chat": st.fixed_dictionaries({"id": st.integers()})},
    optional={
        "from": PERSON | JSON,
        "text": st.text() | JSON,
        "caption": st.text(),
        "document": MEDIA,
        "photo": st.lists(MEDIA, max_size=3),
        "location": JSON,
        "contact": st.fixed_dictionaries({"phone_number": st.text()}),
        "message_thread_id": st.integers(),
        "is_topic_message": st.booleans(),
    },
)


@given(
    body=st.binary(max_size=200)
    | JSON.map(msgspec.json.encode)
    | MESSAGE.map(lambda message: msgspec.json.encode({"update_id": 1, "message": message}))
)
@settings(max_examples=200, deadline=None)
def test_whatever_comes_is_an_inquiry_or_refused_or_ignored(body: bytes) -> None:
    try:
        found = written(read(body))
    except Malformed:
        return
    if isinstance(found, Written):
        assert encode(inquiry(found, ARRIVAL))
