import base64
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.kit.failures import Malformed
from channels.webhook.normalise import Arrival, content, id_of, inquiry, read
from router.contract.codec import encode
from router.contract.ids import AccountId, PoolId, conversation_id, inquiry_id
from router.contract.messages import Attachment, Inquiry

SHOP = AccountId("shop")
ARRIVAL = Arrival(SHOP, PoolId("default"), 1_760_000_000_000)
LEAST: dict[str, Any] = {"id": "m1", "conversation": "t1", "from": {"id": "c1"}, "text": "hello"}


def _json(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(inner) | st.dictionaries(st.text(), inner)


def normalised(**changes: Any) -> Inquiry:
    return inquiry(read(msgspec.json.encode({**LEAST, **changes})), ARRIVAL)


def test_the_least_message() -> None:
    made = normalised()
    assert made.id == inquiry_id(SHOP, "m1")
    assert made.conversation == conversation_id(SHOP, "t1")
    assert (made.channel, made.account, made.pool) == ("webhook", "shop", "default")
    assert (made.reply_to.account, made.reply_to.address) == ("shop", "c1")
    assert (made.text, made.thread, made.sent_at_ms) == ("hello", {"conversation": "t1"}, None)
    assert made.received_at_ms == ARRIVAL.received_at_ms


def test_everything_there_is() -> None:
    made = normalised(
        **{"from": {"id": "c1", "name": " Kim\n", "locale": "ko-KR", "segment": "gold", "tags": ["vip", "a\u202eb"]}},
        subject="an\norder",
        language="ko",
        fields={"order": "17\x00"},
        labels=["web"],
        sent_at="2025-10-09T17:53:20+09:00",
        new_member={"of": "tomorrow"},
    )
    customer = made.customer
    assert (customer.name, customer.locale, customer.segment, customer.tags) == ("Kim", "ko-KR", "gold", ("vip", "ab"))
    assert (made.subject, made.language, made.fields, made.labels) == ("an order", "ko", {"order": "17"}, ("web",))
    assert made.sent_at_ms == 1_760_000_000_000


@pytest.mark.parametrize(
    "said",
    [
        {"text": "", "subject": "s"},
        {"text": "", "fields": {"a": "b"}},
        {"text": "", "attachments": [{"content_base64": ""}]},
    ],
)
def test_a_message_may_speak_by_other_means_than_text(said: dict[str, Any]) -> None:
    assert normalised(**said).text == ""


@pytest.mark.parametrize(
    ("body", "tell"),
    [
        (b"", "truncated"),
        (b"{", "truncated"),
        (b"[]", "object"),
        (b"null", "object"),
        (b"\xff\xfe", "malformed"),
        (b'{"x":' + b"[" * 100_000, "nested"),
        ({"id": ""}, "$.id"),
        ({"id": 7}, "$.id"),
        ({"id": None}, "$.id"),
        ({"id": "x" * 501}, "$.id"),
        ({"conversation": ""}, "$.conversation"),
        ({"from": {}}, "`id`"),
        ({"from": "c1"}, "$.from"),
        ({"text": ["a"]}, "$.text"),
        ({"text": " \n"}, "empty"),
        ({"fields": {"a": 1}}, "$.fields"),
        ({"labels": ["x"] * 101}, "$.labels"),
        ({"attachments": [{"content_base64": ""}] * 21}, "$.attachments"),
        ({"attachments": [{"name": "a"}]}, "content_base64"),
        ({"sent_at": "yesterday"}, "sent_at"),
        ({"sent_at": "2025-10-09T17:53:20"}, "sent_at"),
        ({"sent_at": 1}, "$.sent_at"),
    ],
)
def test_what_is_no_message_is_refused_with_the_place(body: bytes | dict[str, Any], tell: str) -> None:
    raw = body if isinstance(body, bytes) else msgspec.json.encode({**LEAST, **body})
    with pytest.raises(Malformed) as caught:
        read(raw)
    assert tell in str(caught.value)
    assert len(str(caught.value)) < 300


def test_half_a_character_is_no_text() -> None:
    with pytest.raises(Malformed, match="not a message"):
        read(b'{"id":"m1","conversation":"t1","from":{"id":"c1"},"text":"a\\ud800b"}')


def test_a_redelivery_is_the_same_inquiry() -> None:
    assert normalised() == normalised()
    assert id_of(read(msgspec.json.encode(LEAST)), AccountId("other")) != normalised().id


@pytest.mark.parametrize(
    ("text", "data"), [("aGVsbG8=", b"hello"), ("", b""), (base64.b64encode(b"\x00\xff").decode(), b"\x00\xff")]
)
def test_a_file_is_base64(text: str, data: bytes) -> None:
    message = read(msgspec.json.encode({**LEAST, "attachments": [{"content_base64": text}]}))
    assert content(message.attachments[0]) == data


@pytest.mark.parametrize("text", ["a", "aGVsbG8", "aGVs bG8=", "한국", "aGVsbG8=x"])
def test_what_is_no_base64_is_refused(text: str) -> None:
    message = read(msgspec.json.encode({**LEAST, "attachments": [{"content_base64": text}]}))
    with pytest.raises(Malformed):
        content(message.attachments[0])


def test_stored_attachments_are_named() -> None:
    stored = Attachment(name="a.txt", media_type="text/plain", size_bytes=1, sha256="x", blob="shop/i/0")
    assert inquiry(read(msgspec.json.encode(LEAST)), ARRIVAL, (stored,)).attachments == (stored,)


@given(st.one_of(st.binary(), st.recursive(st.none() | st.text() | st.integers(), _json, max_leaves=20)))
def test_nothing_that_is_posted_breaks_it(posted: Any) -> None:
    raw = posted if isinstance(posted, bytes) else json.dumps({**LEAST, "text": "x", "extra": posted, "fields": posted})
    try:
        made = inquiry(read(raw if isinstance(raw, bytes) else raw.encode()), ARRIVAL)
    except Malformed:
        return
    assert made.account == SHOP
    assert encode(made)
