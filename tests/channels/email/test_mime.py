"""The parts of a mail."""

import email
from email import policy
from email.message import EmailMessage

import pytest

from channels.email.mime import MAX_DEPTH, MAX_PARTS, Part, parse, read_headers


def kinds(part: Part) -> object:
    return [kinds(child) for child in part.children] if part.children else part.media_type


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", "text/plain"),
        (b"no headers at all", "text/plain"),
        (b"\r\nbody", "text/plain"),
        (b"Content-Type: text/html\r\n\r\nx", "text/html"),
        (b"Content-Type: nonsense\r\n\r\nx", "application/octet-stream"),
        (b"Content-Type: multipart/mixed; boundary=b\r\n\r\nnone", "text/plain"),
        (
            b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n--b\r\n\r\nepilogue",
            ["text/plain"],
        ),
        (
            b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: image/png\n\nx\n--b  \n\ny",
            ["image/png", "text/plain"],
        ),
        (b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--bc\r\n\r\nx\r\n--b\r\n\r\ny", ["text/plain"]),
        (b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n--b\r\n\r\ny", ["text/plain", "text/plain"]),
        (b"Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\ny", "message/rfc822"),
    ],
)
def test_the_tree(data: bytes, found: object) -> None:
    assert kinds(parse(data).root) == found


def test_bodies_are_cut_exactly() -> None:
    data = b"Content-Type: multipart/mixed; boundary=b\r\n\r\npre\r\n--b\r\n\r\none\r\n\r\n--b\r\n\r\ntwo\r\n--b--\r\n"
    assert [leaf.body for leaf in parse(data).root.leaves()] == [b"one\r\n", b"two"]


def test_it_agrees_with_the_standard_library_on_a_sound_mail() -> None:
    mail = EmailMessage(policy=policy.SMTP)
    mail["Subject"] = "환불"
    mail.set_content("안녕\n")
    mail.add_alternative("<p>안녕</p>", subtype="html")
    mail.add_attachment(b"\x00\xff" * 100, maintype="image", subtype="png", filename="사진.png")
    data = mail.as_bytes()
    theirs = [
        part.get_payload(decode=True) for part in email.message_from_bytes(data).walk() if not part.is_multipart()
    ]
    ours = [leaf.content() for leaf in parse(data).root.leaves()]
    assert [each.rstrip(b"\r\n") for each in ours] == [bytes(each).rstrip(b"\r\n") for each in theirs]
    picture = list(parse(data).root.leaves())[-1]
    assert picture.headers.parameters("content-disposition")["filename"] == "사진.png"


@pytest.mark.parametrize(
    ("value", "name", "found"),
    [
        ("a/b; name=plain", "name", "plain"),
        ('a/b; name="with ; semicolon"', "name", "with ; semicolon"),
        ('a/b; name="a \\"b\\""', "name", 'a "b"'),
        ("a/b; name*=utf-8''%ED%99%98", "name", "환"),
        ("a/b; name*1=b; name*0=a", "name", "ab"),
        ("a/b; name*0*=euc-kr''%C8; name*1*=%AF", "name", "환"),
        ("a/b; name*=broken", "name", "broken"),
        ('a/b; name="unclosed', "name", '"unclosed'),
        ("a/b; NAME=x", "name", "x"),
        ("a/b;;;", "name", ""),
    ],
)
def test_parameters(value: str, name: str, found: str) -> None:
    headers = read_headers(f"Content-Type: {value}\r\n".encode())
    assert headers.parameters("content-type").get(name, "") == found


def test_limits_are_told() -> None:
    deep = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(MAX_DEPTH + 5)
    )
    assert not parse(deep + b"\r\nx").is_whole
    many = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * (MAX_PARTS + 5)
    tree = parse(many)
    assert not tree.is_whole
    assert len(list(tree.root.leaves())) == MAX_PARTS - 1
    long = parse(b"X: y\r\n" * 20_000 + b"Subject: lost\r\n\r\nbody")
    assert not long.is_whole
    assert (long.root.headers.first("subject"), long.root.body) == ("", b"body")
