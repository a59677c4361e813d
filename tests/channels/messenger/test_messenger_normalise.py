from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.kit.failures import Malformed
from channels.messenger.events import Event, read
from channels.messenger.normalise import Arrival, Ignored, Written, files, inquiry, written
from router.contract.codec import encode
from router.contract.ids import AccountId, PoolId, conversation_id, inquiry_id
from router.contract.messages import Inquiry

SHOP = AccountId("shop")
ARRIVAL = Arrival(SHOP, PoolId("default"), 1_760_000_000_000)
SAID = {"mid": "m_1", "text": "hello"}
FRAME: dict[str, Any] = {"sender": {"id": "5"}, "recipient": {"id": "9"}, "timestamp": 1_750_000_000_123}
URL = "https://cdn.example/a/receipt%20%ED%95%9C.pdf?x=1"


def delivery(*events: Any) -> bytes:
    return msgspec.json.encode({"object": "page", "entry": [{"id": "9", "messaging": events}]})


def found(**members: Any) -> Written | Ignored:
    (event,) = read(delivery({**FRAME, **members}))
    assert isinstance(event, Event)
    return written(event)


def normalised(**said: Any) -> Inquiry:
    made = found(message={**SAID, **said})
    assert isinstance(made, Written)
    return inquiry(made, ARRIVAL)


def test_the_least_message() -> None:
    made = normalised()
    assert made.id == inquiry_id(SHOP, "m_1")
    assert made.conversation == conversation_id(SHOP, "5")
    assert (made.channel, made.customer.id) == ("messenger", "5")
    assert (made.reply_to.account, made.reply_to.address) == ("shop", "5")
    assert (made.text, made.labels, made.sent_at_ms) == ("hello", (), 1_750_000_000_123)


@pytest.mark.parametrize(
    ("said", "fields", "labels"),
    [
        (
            {"attachments": [{"type": "fallback", "title": "Shop", "url": "https://a.example"}]},
            "Shop https://a.example",
            (),
        ),
        ({"attachments": [{"type": "template", "payload": {"title": "Order"}}]}, "Order", ()),
        ({"text": "", "attachments": [{"type": "fallback"}]}, None, ("unsupported",)),
        ({"text": ""}, None, ("unsupported",)),
    ],
)
def test_what_is_shared_is_told_and_what_can_not_be_is_labelled(
    said: dict[str, Any], fields: str | None, labels: tuple[str, ...]
) -> None:
    made = normalised(**said)
    assert (made.fields, made.labels) == ({} if fields is None else {"shared": fields}, labels)


@pytest.mark.parametrize(
    ("media", "expected"),
    [
        ({"type": "file", "payload": {"url": URL}}, [(URL, "receipt 한.pdf", "application/octet-stream")]),
        ({"type": "image", "payload": {"url": "https://a/"}}, [("https://a/", "image.jpg", "image/jpeg")]),
        ({"type": "audio", "payload": {"url": "https://[x"}}, [("https://[x", "audio.mp4", "audio/mp4")]),
        ({"type": "image", "payload": {}}, []),
        ({"type": "image"}, []),
        ({"type": "fallback", "payload": {"url": URL}}, []),
    ],
)
def test_the_files_of_a_message(media: dict[str, Any], expected: list[tuple[str, ...]]) -> None:
    made = found(message={**SAID, "attachments": [media]})
    assert isinstance(made, Written)
    assert list(files(made)) == expected


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"message": {**SAID, "is_echo": True}}, Ignored.ECHO),
        ({"message": {**SAID, "is_deleted": True}}, Ignored.DELETED),
        ({"delivery": {"mids": ["m_1"], "watermark": 1}}, Ignored.OTHER_KIND),
        ({"read": {"watermark": 1}}, Ignored.OTHER_KIND),
        ({"reaction": {"mid": "m_1"}}, Ignored.OTHER_KIND),
        ({"sender": None, "message": SAID}, Ignored.OTHER_KIND),
        ({"postback": {"title": "Get started", "payload": "get_started"}}, Ignored.GET_STARTED),
    ],
)
def test_what_is_no_inquiry_has_its_reason(members: dict[str, Any], reason: Ignored) -> None:
    assert found(**members) is reason


@pytest.mark.parametrize(("mid", "key"), [({"mid": "m_2"}, "m_2"), ({}, "postback/5/1750000000123")])
def test_a_pressed_button_says_its_title(mid: dict[str, str], key: str) -> None:
    made = found(postback={"title": "Where is my order?", "payload": "Q1", **mid})
    assert isinstance(made, Written)
    assert (made.key, made.text) == (key, "Where is my order?")


def test_one_event_that_can_not_be_read_hides_no_other() -> None:
    bad, good = read(delivery({**FRAME, "message": {"mid": 7}}, {**FRAME, "message": SAID}))
    assert isinstance(bad, Malformed)
    assert "$.message.mid" in str(bad)
    assert isinstance(good, Event)


@pytest.mark.parametrize(
    ("body", "tell"),
    [
        (b"", "truncated"),
        (b"[]", "object"),
        (b"\xff", "malformed"),
        (b'{"x":' + b"[" * 100_000, "nested"),
        (b"{}", "`object`"),
        (b'{"object":"instagram","entry":[]}', "not a page"),
        (b'{"object":"page","entry":[{"messaging":{}}]}', "$.entry"),
    ],
)
def test_what_is_no_delivery_is_refused_with_the_place(body: bytes, tell: str) -> None:
    with pytest.raises(Malformed) as caught:
        read(body)
    assert tell in str(caught.value)
    assert len(str(caught.value)) < 300


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
MEDIA = st.fixed_dictionaries(
    {"type": st.sampled_from(["image", "file", "fallback", "x"])},
    optional={"payload": st.fixed_dictionaries({}, optional={"url": st.text(), "title": st.text()}) | JSON},
)
EVENT = st.fixed_dictionaries(
    {"sender": st.fixed_dictionaries({"id": st.text()})},
    optional={
        "timestamp": st.integers(),
        "message": st.fixed_dictionaries(
            {"mid": st.text(), "text": st.text()}, optional={"attachments": st.lists(MEDIA)}
        ),
        "postback": st.fixed_dictionaries({"title": st.text()}) | JSON,
    },
)


@given(
    body=st.binary(max_size=200)
    | JSON.map(msgspec.json.encode)
    | st.lists(EVENT | JSON, max_size=3).map(lambda e: delivery(*e))
)
@settings(max_examples=200, deadline=None)
def test_whatever_comes_is_an_inquiry_or_refused_or_ignored(body: bytes) -> None:
    try:
        events = read(body)
    except Malformed:
        return
    for event in events:
        said = written(event) if isinstance(event, Event) else None
        if isinstance(said, Written):
            assert isinstance(files(said), tuple)
            assert encode(inquiry(said, ARRIVAL))
