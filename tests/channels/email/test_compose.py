"""A reply as a mail, read back with the standard library."""

from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from msgspec.structs import replace

from channels.email.compose import Writer, compose, subject_of, wire_address
from channels.email.simulator_checks import Known, Submission, complaints
from channels.email.threads import MailTokens
from router.contract.ids import AccountId, CaseId, ConversationId, PoolId, ReplyId
from router.contract.messages import Address, Attachment, Reply
from router.runtime.secret import Secret
from router.runtime.signer import Signer

SHOP = AccountId("shop")
TOKENS = MailTokens(Signer([Secret("key")]), SHOP)
WRITER = Writer("help@shop.example", "고객 센터", TOKENS, is_plus=True)
REPLY = Reply(
    id=ReplyId("11111111-2222-5333-8444-555555555555"),
    pool=PoolId("default"),
    case=CaseId("c1"),
    conversation=ConversationId("99999999-2222-5333-8444-555555555555"),
    to=Address(account=SHOP, address="kim@mail.example"),
    text="안녕하세요.\n내일 도착합니다.",
    created_at_ms=1_760_000_000_000,
    subject="문의: 배송이 언제 되나요 " * 4,
    thread={"message_id": "<m2@mail.example>", "references": "<m1@mail.example> <m2@mail.example>"},
)
FILE = Attachment(name="사진 1.png", media_type="image/png", size_bytes=3, sha256="x", blob="b")
KNOWN = Known(
    "help@shop.example",
    frozenset({"kim@mail.example"}),
    {"<m1@mail.example>": "<m1@mail.example>", "<m2@mail.example>": "<m1@mail.example>"},
)


def read(reply: Reply, *, files: tuple[tuple[Attachment, bytes], ...] = (), writer: Writer = WRITER) -> EmailMessage:
    message = message_from_bytes(compose(reply, files, writer).data, policy=policy.default)
    assert isinstance(message, EmailMessage)
    assert message.defects == []
    return message


@pytest.mark.parametrize(
    "reply",
    [
        REPLY,
        replace(REPLY, automatic=True),
        replace(REPLY, text="plain ascii"),
        replace(REPLY, text="x" * 5000),
        replace(REPLY, text="가" * 5000 + "\n.\n..\nFrom me\n\n"),
        replace(REPLY, text=""),
        replace(REPLY, text="a \nb\t\n=3D é\r\nc\rd"),
        replace(REPLY, subject="x" * 3000),
        replace(REPLY, subject="a\r\nBcc: evil@x.y\r\n\r\nbody"),
        replace(REPLY, thread={}),
    ],
)
def test_a_strict_provider_has_nothing_to_say(reply: Reply) -> None:
    mail = compose(reply, [(FILE, b"\x00\xff\x01")], WRITER)
    assert list(complaints(Submission(mail.sender, mail.recipient, (), mail.data), KNOWN)) == []


def test_text_subject_and_thread_arrive() -> None:
    message = read(REPLY)
    assert message.get_content().replace("\r\n", "\n") == REPLY.text + "\n"
    assert message["Subject"] == f"Re: {' '.join(REPLY.subject.split())}"
    assert message["In-Reply-To"] == "<m2@mail.example>"
    assert message["References"].split() == ["<m1@mail.example>", "<m2@mail.example>"]
    assert message["From"].addresses[0].display_name == "고객 센터"


def test_message_id_and_reply_to_lead_back_to_the_conversation() -> None:
    message = read(REPLY)
    local, _, domain = str(message["Message-ID"]).strip("<>").partition("@")
    assert local == REPLY.id
    assert TOKENS.conversation(domain.partition(".")[0]) == REPLY.conversation
    reply_to = message["Reply-To"].addresses[0].addr_spec
    assert TOKENS.conversation(reply_to.partition("+")[2].partition("@")[0]) == REPLY.conversation
    sent = TOKENS.unseal(str(message["X-Turnout-Reply"]))
    assert sent == (REPLY.id, REPLY.case, REPLY.conversation)


def test_the_same_reply_is_the_same_mail() -> None:
    assert compose(REPLY, [(FILE, b"x")], WRITER) == compose(REPLY, [(FILE, b"x")], WRITER)


def test_what_a_machine_says_has_no_return_path_and_says_so() -> None:
    mail = compose(replace(REPLY, automatic=True), (), WRITER)
    assert mail.sender == ""
    assert b"Auto-Submitted: auto-replied\r\n" in mail.data
    assert compose(REPLY, (), WRITER).sender == "help@shop.example"
    assert b"Auto-Submitted" not in compose(REPLY, (), WRITER).data


def test_files_arrive_whole() -> None:
    data = bytes(range(256)) * 10
    evil = replace(FILE, name='a"\r\nX: y', media_type="text/html\r\nX: y")
    message = read(REPLY, files=((FILE, data), (evil, b"2"), (replace(FILE, media_type="message/rfc822"), b"3")))
    parts = list(message.iter_attachments())
    assert [part.get_filename() for part in parts] == ["사진 1.png", "a_ X: y", "사진 1.png"]
    assert [part.get_payload(decode=True) for part in parts] == [data, b"2", b"3"]
    assert [part.get_content_type() for part in parts][1:] == ["application/octet-stream"] * 2


@pytest.mark.parametrize(
    ("subject", "is_answer", "found"),
    [
        ("Hello", True, "Re: Hello"),
        ("Re: Hello", True, "Re: Hello"),
        ("RE: re: Aw: 답장: 회신: Hello", True, "Re: Hello"),
        ("Re[2]: Hello", True, "Re: Hello"),
        ("回复：你好", True, "Re: 你好"),
        ("Reply: Hello", True, "Re: Reply: Hello"),
        ("Fwd: Hello", True, "Re: Fwd: Hello"),
        ("", True, "Re:"),
        ("Re: Re:", True, "Re:"),
        ("Hello", False, "Hello"),
        ("", False, ""),
    ],
)
def test_an_answer_says_re_once(subject: str, found: str, *, is_answer: bool) -> None:
    assert subject_of(replace(REPLY, subject=subject, thread=REPLY.thread if is_answer else {})) == found


def test_without_plus_addresses_the_message_id_is_enough() -> None:
    assert read(REPLY, writer=WRITER._replace(is_plus=False))["Reply-To"] is None
    foreign = read(replace(REPLY, conversation=ConversationId("chat-1")))
    assert (foreign["Reply-To"], foreign["Message-ID"]) == (None, f"<{REPLY.id}@shop.example>")


@pytest.mark.parametrize(
    "address", ["", "kim", "@", "a@b@", "kim@x.y, lee@x.y", "kim@x.y\r\nDATA", "<kim@x.y>", f"k@{'x' * 70}é"]
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # a codec's own is one
        compose(replace(REPLY, to=Address(account=SHOP, address=address)), (), WRITER)


def test_a_domain_in_hangul_goes_in_its_wire_form() -> None:
    assert wire_address("kim@한국.kr") == "kim@xn--3e0b707e.kr"
    mail = compose(replace(REPLY, to=Address(account=SHOP, address="kim@한국.kr")), (), WRITER)
    assert mail.recipient == "kim@xn--3e0b707e.kr"
    assert b"\r\nTo: kim@xn--3e0b707e.kr\r\n" in mail.data
