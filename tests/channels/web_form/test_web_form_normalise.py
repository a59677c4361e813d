from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.kit.failures import Malformed
from channels.web_form.multipart import Part, parse
from channels.web_form.normalise import Arrival, check, inquiry
from channels.web_form.submission import File, Submission, read
from router.contract.codec import encode
from router.contract.ids import AccountId, PoolId, conversation_id, inquiry_id

SHOP = AccountId("shop")
ARRIVAL = Arrival(SHOP, PoolId("default"), 1_760_000_000_000, "k1")
JSON = "application/json"
FORM = "application/x-www-form-urlencoded; charset=utf-8"
MULTIPART = 'multipart/form-data; boundary="xyz"'


def part(disposition: str, data: bytes, *more: str) -> bytes:
    head = "\r\n".join((f"Content-Disposition: form-data; {disposition}", *more))
    return b"--xyz\r\n" + head.encode() + b"\r\n\r\n" + data + b"\r\n"


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--xyz--\r\n"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (JSON, msgspec.json.encode({"name": "Kim", "message": "안녕", "fields": {"order": "17"}, "other": 1})),
        (FORM, b"name=Kim&message=%EC%95%88%EB%85%95&order=17"),
        (
            MULTIPART,
            form(part('name="name"', b"Kim"), part('name="message"', "안녕".encode()), part('name="order"', b"17")),
        ),
    ],
)
def test_a_form_is_the_same_however_it_is_posted(kind: str, body: bytes) -> None:
    made = read(kind, body, honeypot="website")
    assert made == Submission(name="Kim", message="안녕", fields={"order": "17"})
    assert made.digest() == Submission(name="Kim", message="안녕", fields={"order": "17"}).digest()


@pytest.mark.parametrize(
    ("kind", "body", "is_trapped"),
    [
        (JSON, b'{"website":"x"}', True),
        (JSON, b'{"website":7}', True),
        (JSON, b'{"website":""}', False),
        (JSON, b'{"website":null}', False),
        (JSON, b'{"fields":{"website":"x"}}', True),
        (FORM, b"website=x", True),
        (FORM, b"website=", False),
        (MULTIPART, form(part('name="website"', b"x")), True),
    ],
)
def test_the_trap_is_seen_wherever_it_stands(kind: str, body: bytes, is_trapped: bool) -> None:
    assert bool(read(kind, body, honeypot="website").fields.get("website")) is is_trapped


def test_boxes_of_one_name_each_count() -> None:
    assert read(FORM, b"topic=a&topic=b", honeypot="website").fields == {"topic": "a, b"}


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ('name="f"; filename="a b.pdf"', "a b.pdf"),
        ('name="f"; filename="a%22b.pdf"', 'a"b.pdf'),
        (r'name="f"; filename="a\"b.pdf"', 'a"b.pdf'),
        ('name="f"; filename="영수증.pdf"', "영수증.pdf"),
        ("name=f; filename=plain.pdf", "plain.pdf"),
        ('name="f"; filename="x"; filename*=UTF-8\'\'%EC%98%81.pdf', "영.pdf"),
    ],
)
def test_files_keep_their_names_and_bytes(disposition: str, name: str) -> None:
    data = b"\x00\xff\r\n--xy\r\n\r\n"
    made = read(MULTIPART, form(part(disposition, data, "Content-Type: application/pdf")), honeypot="website")
    assert made.files == (File(name, "application/pdf", data),)


def test_a_file_that_was_not_chosen_is_none() -> None:
    assert read(MULTIPART, form(part('name="f"; filename=""', b"")), honeypot="website").files == ()


@pytest.mark.parametrize(
    ("kind", "body", "tell"),
    [
        ("", b"", "neither"),
        ("text/plain", b"hello", "neither"),
        (JSON, b"{", "truncated"),
        (JSON, b"[]", "object"),
        (JSON, b"\xff", "malformed"),
        (JSON, b'{"x":' + b"[" * 100_000, "nested"),
        (JSON, b'{"message":7}', "$.message"),
        (JSON, msgspec.json.encode({"fields": dict.fromkeys(map(str, range(61)), "")}), "$.fields"),
        (FORM, b"message=%ff", "UTF-8"),
        (FORM, b"\xff", "UTF-8"),
        (FORM, b"&".join(b"a=1" for _ in range(61)), "too many"),
        ("multipart/form-data", form(), "boundary"),
        ("multipart/form-data; boundary=한", form(), "boundary"),
        (MULTIPART, b"", "cut off"),
        (MULTIPART, part('name="a"', b"x"), "cut off"),
        (MULTIPART, form(b"--xyz\r\nno head\r\n"), "no head"),
        (MULTIPART, form(b"--xyz\r\nContent-Type: a\r\n\r\nx\r\n"), "no name"),
        (MULTIPART, form(part('name="message"', b"\xff")), "UTF-8"),
        (MULTIPART, form(part('name="\xff"', b"x").replace("\xff".encode(), b"\xff")), "UTF-8"),
        (MULTIPART, form(*[part('name="a"', b"")] * 101), "at most 100"),
        (MULTIPART, form(*[part('name="a"; filename="b"', b"")] * 11), "at most 10"),
    ],
)
def test_what_is_no_form_is_refused_with_the_reason(kind: str, body: bytes, tell: str) -> None:
    with pytest.raises(Malformed) as caught:
        read(kind, body, honeypot="website")
    assert tell in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("submission", "needs_mail", "tell"),
    [
        (Submission(), False, "empty"),
        (Submission(message=" \n", fields={"website": ""}), False, "empty"),
        (Submission(message="x"), True, "email is missing"),
        (Submission(message="x", email="kim"), False, "no mail address"),
        (Submission(message="x", email="a@b\r\nBcc: c@d"), True, "no mail address"),
        (Submission(message="x", email="a@b,c@d"), True, "no mail address"),
    ],
)
def test_a_form_that_can_not_be_answered_is_refused(submission: Submission, needs_mail: bool, tell: str) -> None:
    with pytest.raises(Malformed, match=tell):
        check(submission, needs_mail=needs_mail)


@pytest.mark.parametrize(
    "said",
    [{"message": "x"}, {"subject": "x"}, {"fields": {"a": "b"}}, {"files": (File("a", "b", b""),)}],
)
def test_a_form_may_speak_by_other_means_than_its_message(said: dict[str, Any]) -> None:
    check(Submission(**said), needs_mail=False)


def test_answers_lie_under_the_first_form() -> None:
    made = inquiry(Submission(name="Kim\n", message="a\u202eb", language="ko"), ARRIVAL)
    assert made.id == inquiry_id(SHOP, "k1")
    assert made.conversation == conversation_id(SHOP, made.id)
    assert (made.reply_to.account, made.reply_to.address, made.thread) == ("shop", made.id, {"form": made.id})
    assert (made.customer.id, made.customer.name) == (f"form {made.id}", "Kim")
    assert (made.text, made.language) == ("ab", "ko")
    again = inquiry(Submission(message="x"), ARRIVAL._replace(key="k2", form=made.id))
    assert (again.conversation, again.reply_to, again.customer.id) == (
        made.conversation,
        made.reply_to,
        made.customer.id,
    )
    assert again.id != made.id


def test_answers_go_out_from_the_mail_account() -> None:
    made = inquiry(
        Submission(message="x", email=" Kim@Shop.example "), ARRIVAL._replace(mail_account=AccountId("mail"))
    )
    assert (made.reply_to.account, made.reply_to.address) == ("mail", "Kim@Shop.example")
    assert made.customer.id == "kim@shop.example"


@pytest.mark.parametrize("language", ["", "korean please", "<b>", "k"])
def test_what_is_no_language_is_none(language: str) -> None:
    assert inquiry(Submission(message="x", language=language), ARRIVAL).language is None


KINDS = st.sampled_from([JSON, FORM, MULTIPART, "multipart/form-data; boundary=a"]) | st.text(max_size=30)
FIELDS = st.dictionaries(st.sampled_from(["name", "email", "message", "fields", "id", "x"]), st.text() | st.integers())
BODY = (
    st.binary(max_size=200)
    | FIELDS.map(msgspec.json.encode)
    | st.lists(st.tuples(st.text(), st.binary())).map(lambda all_: form(*[part(name, data) for name, data in all_]))
)


@given(kind=KINDS, body=BODY)
@settings(max_examples=300, deadline=None)
def test_whatever_comes_is_an_inquiry_or_refused(kind: str, body: bytes) -> None:
    try:
        made = read(kind, body, honeypot="website")
        check(made, needs_mail=False)
    except Malformed:
        return
    assert encode(inquiry(made, ARRIVAL))


@given(data=st.lists(st.binary(max_size=50).filter(lambda data: b"--xyz" not in data), max_size=5))
@settings(max_examples=100, deadline=None)
def test_bytes_come_out_as_they_went_in(data: list[bytes]) -> None:
    made = list(parse(MULTIPART, form(*[part('name="f"; filename="a"', each) for each in data])))
    assert made == [Part("f", "a", "", each) for each in data]
