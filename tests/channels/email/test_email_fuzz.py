"""Whatever comes in, it is read, quickly; and nothing that was read depends on luck."""

import time
from collections.abc import Callable
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels.email.html_text import html_to_text
from channels.email.normalise import Envelope, Mail, Mailbox, normalise
from channels.email.quotes import split_quoted
from channels.email.threads import MailTokens
from router.contract.codec import encode
from router.contract.ids import AccountId, PoolId
from router.contract.limits import shorten
from router.runtime.secret import Secret
from router.runtime.signer import Signer
from tests.suites.email_mails import MAILBOX, SAMPLES

BOX: Final = Mailbox(
    account=AccountId("shop"),
    pool=PoolId("default"),
    address=MAILBOX,
    own=frozenset({MAILBOX}),
    tokens=MailTokens(Signer([Secret("key")]), AccountId("shop")),
    max_bytes=1_000_000,
)
PIECES: Final = (
    b"\r\n", b"\n", b"\r", b"--", b"--b", b"=?", b"?=", b"=?utf-8?B?", b"=?euc-kr?Q?", b";", b'"', b"\\", b"<", b">",
    b"\x00", b"\xff", b"\xb0\xa1", "\u202e".encode(), "\ud83d".encode("utf-8", "surrogatepass"), "e\u0301".encode(),
    b"Content-Type: multipart/mixed; boundary=b\r\n", b"Content-Type: message/rfc822\r\n", b"charset=", b"boundary=",
    b"Content-Transfer-Encoding: base64\r\n", b"Content-Transfer-Encoding: quoted-printable\r\n", b"From: ", b"(" * 50,
    b"Date: 1 Jan 99999 00:00:00 +9999", b"Message-ID: ", b"References: ", b"X-Turnout-Reply: ", b"wrote:", b"> ",
)  # fmt: skip


def read(data: bytes) -> Mail:
    return normalise(data, Envelope("kim@mail.example", MAILBOX, 1), BOX)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A sample with a few pieces cut, doubled, moved or put in."""
    data = draw(st.sampled_from([sample.data for sample in SAMPLES if len(sample.data) < 5000]))
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 40)))
        inserted = draw(st.one_of(st.sampled_from(PIECES), st.binary(max_size=8), st.just(data[start:end] * 2)))
        data = data[:start] + inserted + data[end:]
    return data


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(mutated())
def test_a_mutated_mail_is_read_and_goes_on_the_wire(data: bytes) -> None:
    found = read(data)
    assert "unreadable" not in found.inquiry.labels
    assert len(encode(shorten(found.inquiry))) <= 262_144
    assert len(found.files) == len(found.inquiry.attachments)
    assert read(data) == found


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_a_mail(data: bytes) -> None:
    assert encode(read(data).inquiry)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.sampled_from(["> q", "On 5 Mar 2024, x@y wrote:", "mine", "", "-----Original Message-----", "From: a"]))
)
def test_a_split_loses_no_line(lines: list[str]) -> None:
    found = split_quoted("\n".join(lines))
    kept = sorted(line for part in found for line in part.split("\n") if line)
    assert kept == sorted(line for line in lines if line)


HEAD: Final = b"From: a@b.c\r\nMessage-ID: <x@y>\r\n"
MULTIPART: Final = HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
CRAFTED: Final[dict[str, Callable[[int], bytes]]] = {
    "empty lines": lambda n: HEAD + b"\r\n" + b"\r\n" * n,
    "attributions": lambda n: HEAD + b"\r\n" + b"On 1 wrote:\r\n" * (n // 10),
    "almost attributions": lambda n: HEAD + b"\r\n" + (b"9" * 398 + b":\r\n") * (n // 200),
    "rules": lambda n: HEAD + b"\r\n" + (b"-" * 398 + b"x\r\n") * (n // 200),
    "labels": lambda n: HEAD + b"\r\n" + b"From: a\r\nTo\r\n" * (n // 10),
    "nested parts": lambda n: HEAD + b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (i, i) for i in range(n // 30)
    ),
    "many parts": lambda n: MULTIPART + b"--b\r\n\r\nx\r\n" * (n // 5),
    "almost boundaries": lambda n: MULTIPART + (b"--b" + b" " * 100 + b"x\r\n") * (n // 50),
    "headers": lambda n: HEAD + b"X: y\r\n" * (n // 5),
    "folds": lambda n: HEAD + b"X:" + b"\r\n " * (n // 2),
    "parameters": lambda n: MULTIPART + (b"--b\r\nContent-Type: a/b" + b';a="\\"' * (n // 100) + b"\r\n\r\n") * 100,
    "encoded words": lambda n: HEAD + b"Subject: " + b"=?utf-8?q?" * (n // 10) + b"\r\n\r\nx",
    "references": lambda n: HEAD + b"References: " + b"<" * n + b"\r\n\r\nx",
    "comments": lambda n: b"From: " + b"(" * n + b"\r\n\r\nx",
    "accents": lambda n: HEAD + b"Content-Type: text/plain\r\n\r\na" + "\u0301\u0323".encode() * (n // 4),
    "html": lambda n: HEAD + b"Content-Type: text/html\r\n\r\n" + b"<div><p a=b>" * (n // 10),
    "html comments": lambda n: HEAD + b"Content-Type: text/html\r\n\r\n" + b"<!--<script>" * (n // 10),
    "html entities": lambda n: HEAD + b"Content-Type: text/html\r\n\r\n" + b"&amp" * (n // 4),
    "base64": lambda n: HEAD + b"Content-Transfer-Encoding: base64\r\n\r\n" + b"QUJD\r\n" * (n // 6),
}  # fmt: skip


def _best_s(data: bytes) -> float:
    """The least of a few tries: what else the machine does only ever adds."""
    spans = []
    for _ in range(3):
        began = time.process_time()
        read(data)
        spans.append(time.process_time() - began)
    return min(spans)


@pytest.mark.parametrize("name", CRAFTED)
def test_a_crafted_mail_takes_no_more_than_its_size_in_time(name: str) -> None:
    # Four times the size: 4 when linear, 16 when quadratic. The floor keeps noise of tiny spans out.
    small, large = _best_s(CRAFTED[name](200_000)), _best_s(CRAFTED[name](800_000))
    assert large < 8 * max(small, 0.01)
    assert large < 2.0


def test_html_alone_is_linear_for_every_opening() -> None:
    for piece in ("<", "</", "<!--", "<a b='", "<style>", "<blockquote>", "<pre>\n", "&#x", "<li>"):
        began = time.process_time()
        html_to_text(piece * 100_000)
        assert time.process_time() - began < 3.0
