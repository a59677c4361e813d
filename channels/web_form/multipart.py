"""Forms with files (RFC 7578), from bytes that are all there and bounded. Pure, in linear time."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple
from urllib.parse import unquote

from channels.kit.failures import Malformed

_MAX_PARTS: Final = 100
_MAX_HEAD_BYTES: Final = 4096
_PARAMETER: Final = re.compile(r';\s*([A-Za-z]+\*?)=(?:"((?:[^"\\]|\\.)*)"|([^;\s]*))')
_BOUNDARY: Final = re.compile(r"[!-~](?:[ -~]{0,68}[!-~])?")


class Part(NamedTuple):
    """One field; ``filename`` is None unless it is a file."""

    name: str
    filename: str | None
    media_type: str
    data: bytes


def parse(content_type: str, body: bytes) -> Iterator[Part]:
    """The parts in order. Raises ``Malformed``."""
    boundary = _parameters(content_type).get("boundary", "")
    if not _BOUNDARY.fullmatch(boundary):
        raise Malformed("The form has no boundary.")
    pieces = (b"\r\n" + body).split(b"\r\n--" + boundary.encode(), _MAX_PARTS + 2)
    if len(pieces) > _MAX_PARTS + 2:
        raise Malformed(f"A form has at most {_MAX_PARTS} fields.")
    if len(pieces) < 2 or not pieces[-1].startswith(b"--"):
        raise Malformed("The form is cut off.")
    for piece in pieces[1:-1]:
        yield _part(piece)


def _part(piece: bytes) -> Part:
    head, separator, data = piece.partition(b"\r\n\r\n")
    if not (separator and head.startswith(b"\r\n")) or len(head) > _MAX_HEAD_BYTES:
        raise Malformed("A field of the form has no head.")
    try:
        lines = head.decode().split("\r\n")[1:]
    except UnicodeDecodeError:
        raise Malformed("The head of a field is not UTF-8.") from None
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    disposition = headers.get("content-disposition", "")
    parameters = _parameters(disposition)
    if not disposition.lower().startswith("form-data") or "name" not in parameters:
        raise Malformed("A field of the form has no name.")
    return Part(parameters["name"], parameters.get("filename"), headers.get("content-type", ""), data)


def _parameters(header: str) -> dict[str, str]:
    """Names in small letters. ``name*`` (RFC 5987) stands for ``name``; browsers write quotes as ``%22``."""
    found: dict[str, str] = {}
    for name, quoted, plain in _PARAMETER.findall(header):
        if name.endswith("*"):
            found[name[:-1].lower()] = unquote(plain.rpartition("'")[2], errors="replace")
        else:
            value = re.sub(r"\\(.)", r"\1", quoted) if quoted else plain
            found.setdefault(name.lower(), value.replace("%22", '"'))
    return found
