"""Bytes to text."""

import pytest

from channels.email.decoding import decoded, from_base64, header_text, tidy, transfer_decoded


@pytest.mark.parametrize(
    ("data", "charset", "text"),
    [
        (b"plain", "", "plain"),
        ("똠".encode("cp949"), "KS_C_5601-1987", "똠"),
        ("똠".encode("cp949"), "euc-kr", "똠"),
        ("안녕".encode("euc-kr"), '"euc-kr"', "안녕"),
        ("안녕".encode("cp949"), "us-ascii", "안녕"),
        ("안녕".encode(), "x-none", "안녕"),
        ("안녕".encode("cp949"), "utf-8", "안녕"),
        (b"caf\xe9", "iso-8859-1", "café"),
        (b"\x93quoted\x94", "iso-8859-1", "“quoted”"),
        (b"caf\xe9 au lait", "x-none", "café au lait"),
        ("日本".encode("iso2022_jp"), "ISO-2022-JP", "日本"),
        ("日本".encode("cp932"), "Shift_JIS", "日本"),
        ("中文".encode("gb18030"), "gb2312", "中文"),
        ("中文".encode("cp950"), "big5", "中文"),
        ("안녕".encode("utf-16"), "utf-16", "안녕"),
        (b"xn--bcher-kva", "idna", "xn--bcher-kva"),
        (b"a-1", "punycode", "a-1"),
        (b"\\u0041", "unicode_escape", "\\u0041"),
        (b"abc", "rot13", "abc"),
        (b"abc", "zip", "abc"),
        (b"abc", "\x00", "abc"),
        (b"\xff\xfe\xfd", "utf-8", "\ufffd\ufffd\ufffd"),
    ],
)
def test_the_charset_is_a_hint(data: bytes, charset: str, text: str) -> None:
    assert decoded(data, charset) == text


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("plain", "plain"),
        ("=?utf-8?Q?a_b=20c?=", "a b c"),
        ("=?utf-8?B?7ZmY?= =?utf-8?B?67aI?=", "환불"),
        ("=?utf-8?B?7Zk=?= =?utf-8?B?mA==?=", "환"),
        ("=?euc-kr?B?yK+60g==?= and =?utf-8?q?more?=", "환불 and more"),
        ("=?utf-8?B?7ZmY67aI", "=?utf-8?B?7ZmY67aI"),
        ("=?x?Q?broken", "=?x?Q?broken"),
        ("=?utf-8?B?!!!?=", ""),
        ("=?utf-8*en?Q?hi?=", "hi"),
        ("a\tb\r\n c", "a b c"),
        ("\udcb9\udcae", "문"),
        ("re: =?utf-8?q?x?=tail", "re: xtail"),
    ],
)
def test_headers_are_read_as_people_read_them(raw: str, text: str) -> None:
    assert header_text(raw) == text


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"aGk=", b"hi"),
        (b"aG\r\nk=", b"hi"),
        (b"aGk", b"hi"),
        (b"aGkx!", b"hi1"),
        (b"aGkxM", b"hi1"),
        (b"", b""),
        (b"====", b""),
    ],
)
def test_broken_base64_gives_what_is_there(data: bytes, found: bytes) -> None:
    assert from_base64(data) == found


def test_transfer_encodings() -> None:
    assert transfer_decoded(b"a=3Db", " Quoted-Printable ") == b"a=b"
    assert transfer_decoded(b"a=3Db", "8bit") == b"a=3Db"
    assert transfer_decoded(b"a=3Db", "x-unknown") == b"a=3Db"


def test_towers_of_accents_are_cut_and_languages_are_not() -> None:
    assert len(tidy("a" + "\u0301\u0323" * 5000)) < 40
    for text in ("नमस्ते", "สวัสดี", "e\u0301", "שָׁלוֹם", "안녕"):
        assert tidy(text) == tidy(tidy(text))
        assert len(tidy(text)) >= len(text) - 1
