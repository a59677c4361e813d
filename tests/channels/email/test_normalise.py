"""Mails of many programs, read."""

import hashlib

import pytest
from msgspec.structs import replace

from channels.email.normalise import Envelope, Mail, Mailbox, normalise
from channels.email.threads import MailTokens
from router.contract.ids import AccountId, ConversationId, PoolId
from router.contract.limits import inquiry_fits
from router.runtime.secret import Secret
from router.runtime.signer import Signer
from tests.suites.email_bodies import GMAIL_ALTERNATIVE, b64
from tests.suites.email_mails import MAILBOX, PLAIN_UTF8, SAMPLES, Sample, mail

TOKENS = MailTokens(Signer([Secret("key")]), AccountId("shop"))
BOX = Mailbox(
    account=AccountId("shop"),
    pool=PoolId("default"),
    address=MAILBOX,
    own=frozenset({MAILBOX}),
    tokens=TOKENS,
    max_bytes=1_000_000,
)
CONVERSATION = ConversationId("11111111-2222-4333-8444-555555555555")


def read(data: bytes, *, sender: str = "kim@mail.example", recipient: str = MAILBOX, box: Mailbox = BOX) -> Mail:
    return normalise(data, Envelope(sender, recipient, 1_760_000_000_000), box)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_mail_is_read_as_a_person_reads_it(sample: Sample) -> None:
    found = read(sample.data).inquiry
    assert found.text == sample.text
    assert found.subject == sample.subject
    assert (found.reply_to.address, found.customer.id) == (sample.author, sample.author.lower())
    assert found.customer.name == sample.customer
    assert sample.quoted in found.quoted
    assert bool(sample.quoted) == bool(found.quoted)
    assert tuple(file.name for file in found.attachments) == sample.files
    assert found.labels == sample.labels
    assert not found.automatic
    assert found.sent_at_ms == 1_709_619_670_000


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_mail_read_twice_is_the_same_and_fits(sample: Sample) -> None:
    once, twice = read(sample.data), read(sample.data)
    assert once == twice
    assert inquiry_fits(once.inquiry)
    for attachment, data in zip(once.inquiry.attachments, once.files, strict=True):
        assert (attachment.size_bytes, attachment.sha256) == (len(data), hashlib.sha256(data).hexdigest())


def test_files_are_decoded() -> None:
    by_name = {sample.name: sample for sample in SAMPLES}
    korean = read(by_name["korean names of files, three ways of writing them"].data)
    assert korean.files == (b"%PDF-1.4", b"\x89PNG\r\n\x1a\n")
    inner = read(by_name["a mail within a mail"].data)
    assert inner.files[0].startswith(b"From: other@mail.example")
    assert b"inner text" in inner.files[0]


def test_the_same_message_id_over_another_text_is_another_inquiry() -> None:
    one, two = read(mail("first")), read(mail("second"))
    assert one.inquiry.id != two.inquiry.id
    assert one.inquiry.conversation == two.inquiry.conversation


def test_headers_that_a_server_adds_on_the_way_change_no_id() -> None:
    plain = mail("first")
    again = b"Received: from a by b\r\n" + plain
    assert read(plain).inquiry.id == read(again).inquiry.id


def test_a_mail_without_message_id_keeps_its_id_when_it_comes_again() -> None:
    nameless = mail("Hello?", message_id="")
    assert read(nameless).inquiry.id == read(b"Received: x\r\n" + nameless).inquiry.id
    assert read(nameless).inquiry.conversation != read(mail("Hello!", message_id="")).inquiry.conversation
    assert read(nameless).inquiry.thread == {}


def test_a_message_id_with_8_bit_bytes_is_a_name_too() -> None:
    one, two = (read(mail("x").replace(b"<m1@mail.example>", each)) for each in (b"\xff\xfe", b"\xff\xfd"))
    assert one.inquiry.labels == ()
    assert one.inquiry.id != two.inquiry.id
    bare = read(mail("x").replace(b"<m1@mail.example>", b"\xff <m1@mail.example>"))
    assert bare.inquiry.thread["message_id"] == "<m1@mail.example>"


def test_a_mailbox_is_one_whatever_plus_address_was_used() -> None:
    token = TOKENS.token(CONVERSATION)
    assert token is not None
    plain = read(mail("x"))
    plus = read(mail("x"), recipient=f"help+{token}@shop.example")
    assert plain.inquiry.id == plus.inquiry.id
    assert plus.inquiry.conversation == CONVERSATION


def test_two_mailboxes_make_two_inquiries() -> None:
    other = BOX._replace(account=AccountId("bills"), address="bills@shop.example")
    one, two = read(mail("x")).inquiry, read(mail("x"), box=other).inquiry
    assert one.id != two.id
    assert one.conversation != two.conversation


def test_an_empty_plain_part_gives_way_to_html() -> None:
    data = mail(
        GMAIL_ALTERNATIVE.format(plain=b64(" \r\n")), 'Content-Type: multipart/alternative; boundary="0000000000a1"'
    )
    assert read(data).inquiry.text == "something else"


def test_what_is_too_long_is_cut_and_attached_whole() -> None:
    data = mail("가" * 100_000, *PLAIN_UTF8)
    found = read(data)
    assert found.inquiry.text == "가" * 65_536
    assert found.inquiry.labels == ("shortened",)
    assert found.inquiry.attachments[0].name == "message.eml"
    assert found.files[0] == data


def test_more_parts_than_anybody_writes_are_cut_and_attached_whole() -> None:
    parts = "".join(f"--b\nContent-Type: image/png\n\n{number}\n" for number in range(1000))
    found = read(mail(f"{parts}--b--\n", "Content-Type: multipart/mixed; boundary=b"))
    assert found.inquiry.labels == ("shortened",)
    assert len(found.files) == len(found.inquiry.attachments) == 100


def test_what_nobody_foresaw_still_reaches_a_person(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("channels.email.normalise.parse", lambda data: 1 // 0)
    data = mail("x")
    found = read(data, sender="<kim@mail.example>")
    assert found.inquiry.labels == ("unreadable",)
    assert found.inquiry.reply_to.address == "kim@mail.example"
    assert found.files == (data,)


def test_a_mail_that_nobody_can_answer_is_automatic() -> None:
    assert read(b"Subject: x\r\n\r\ny", sender="").inquiry.automatic
    assert read(b"Subject: x\r\n\r\ny", sender="kim@mail.example").inquiry.reply_to.address == "kim@mail.example"


def test_mail_of_a_list_is_automatic_unless_the_mailbox_is_behind_one() -> None:
    data = mail("x", "List-Id: <help.shop.example>", "Precedence: list")
    found = read(data).inquiry
    assert (found.automatic, found.labels) == (True, ("mailing-list",))
    behind = read(data, box=BOX._replace(is_behind_list=True)).inquiry
    assert (behind.automatic, behind.labels) == (False, ())


def test_nothing_but_ids_and_times_depends_on_the_clock() -> None:
    first = normalise(mail("x"), Envelope("a@b.c", MAILBOX, 1), BOX).inquiry
    later = normalise(mail("x"), Envelope("a@b.c", MAILBOX, 2), BOX).inquiry
    assert replace(first, received_at_ms=2) == later
