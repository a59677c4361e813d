"""Bytes of a mail to text, whatever its sender says they are. Nothing here raises. Pure."""

import binascii
import codecs
import re
import unicodedata
from typing import Final

from channels.kit.text import clean

# What senders write and what they mean; everything else is asked of the codec registry.
_MEANT: Final = {
    "ks_c_5601-1987": "cp949",
    "ks_c_5601-1989": "cp949",
    "ksc5601": "cp949",
    "ksc_5601": "cp949",
    "euc-kr": "cp949",
    "euckr": "cp949",
    "x-windows-949": "cp949",
    "ms949": "cp949",
    "uhc": "cp949",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "big5": "cp950",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "x-sjis": "cp932",
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "utf8mb4": "utf-8",
    "utf-8": "utf-8",
    "utf8": "utf-8",
}
# Codecs for text only: "idna", "punycode" (quadratic) and "unicode_escape" would be taken for one.
_FAMILIES: Final = re.compile(r"(utf|iso8859|iso2022|cp|koi8|euc|gb|big5|johab|hz|mac|tis|shift|latin|ascii|ptcp)")
_SAID_NOTHING: Final = frozenset({"", "us-ascii", "ascii", "unknown", "unknown-8bit", "x-unknown", "default", "8bit"})
_LOST: Final = "\ufffd"
_WORD: Final = re.compile(r"=\?([\w.:+-]{1,40})(?:\*[\w-]{0,20})?\?([BbQq])\?([^?]*)\?=")
_BASE64: Final = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="))
_MAX_MARKS: Final = 30


def decoded(data: bytes, charset: str) -> str:
    """The text. A charset that is unknown, unsaid or plainly wrong gives way to UTF-8, CP949, Latin-1."""
    label = charset.strip().strip("\"'").lower()
    codec = None if label in _SAID_NOTHING else _codec(label)
    if codec is None:
        return _guessed(data)
    text = data.decode(codec, "replace")
    # A cut character or two is a cut; more of them is another charset.
    if text.count(_LOST) * 50 > len(text) and (other := _strictly(data, ("utf-8", "cp949"))) is not None:
        return other
    return text


def header_text(raw: str) -> str:
    """A header's value as a person reads it: encoded words decoded, raw 8-bit bytes guessed, one line."""
    pieces: list[str] = []
    held, charset, end = b"", "", 0
    for word in _WORD.finditer(raw):
        between = raw[end : word.start()]
        own_charset = word[1].lower()
        # Words that follow each other are one text: some senders cut it in the middle of a character.
        if not held or between.strip() or own_charset != charset:
            pieces.append(decoded(held, charset))
            pieces.append(_plain(between if not held or between.strip() else ""))
            held = b""
        held += _word_bytes(word[2], word[3])
        charset, end = own_charset, word.end()
    pieces.append(decoded(held, charset))
    pieces.append(_plain(raw[end:]))
    return " ".join(tidy("".join(pieces)).split())


def transfer_decoded(data: bytes, encoding: str) -> bytes:
    """A part's bytes without their transfer encoding; as they are if it is unknown or identity."""
    match encoding.strip().lower():
        case "base64":
            return from_base64(data)
        case "quoted-printable":
            return binascii.a2b_qp(data)
        case _:
            return data


def from_base64(data: bytes) -> bytes:
    """What can be read of it: foreign characters are skipped, a cut end is dropped."""
    body = data.translate(None, _BASE64).partition(b"=")[0]
    if len(body) % 4 == 1:
        body = body[:-1]
    return binascii.a2b_base64(body + b"=" * (-len(body) % 4))


def tidy(text: str) -> str:
    """As ``clean`` of the kit, in linear time: runs of accents that no language writes are cut first, since
    bringing them into order takes the square of their length."""
    if not text.isascii() and not unicodedata.is_normalized("NFC", text):
        text = _without_towers(text)
    return clean(text)


def _without_towers(text: str) -> str:
    kept: list[str] = []
    marks = 0
    for char in text:
        marks = marks + 1 if unicodedata.combining(char) else 0
        if marks <= _MAX_MARKS:
            kept.append(char)
    return "".join(kept)


def _codec(label: str) -> str | None:
    try:
        name = codecs.lookup(_MEANT.get(label, label)).name
    except (LookupError, ValueError):
        return None
    return name if _FAMILIES.match(name) else None


def _guessed(data: bytes) -> str:
    text = _strictly(data, ("utf-8", "cp949"))
    return data.decode("latin-1") if text is None else text


def _strictly(data: bytes, names: tuple[str, ...]) -> str | None:
    for name in names:
        try:
            return data.decode(name)
        except UnicodeDecodeError:
            continue
    return None


def _plain(text: str) -> str:
    # The header parser keeps bytes beyond ASCII as lone surrogates.
    if text.isascii():
        return text
    return decoded(text.encode("utf-8", "surrogateescape"), "")


def _word_bytes(kind: str, text: str) -> bytes:
    data = text.encode("utf-8", "surrogateescape")
    return from_base64(data) if kind in "Bb" else binascii.a2b_qp(data, header=True)
