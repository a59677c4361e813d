"""What a mail says: the text that a person reads, and everything else as files. Pure."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from channels.email.decoding import decoded, tidy
from channels.email.html_text import html_to_text
from channels.email.mime import Part, Tree
from router.contract.messages import MAX_TEXT_CHARS

_MAX_FILES: Final = 100
_MAX_SOURCE_BYTES: Final = 1_048_576
_EXTENSIONS: Final = {
    "text/plain": ".txt",
    "text/html": ".html",
    "text/calendar": ".ics",
    "message/rfc822": ".eml",
    "application/pdf": ".pdf",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/gif": ".gif",
    "application/ms-tnef": ".dat",
}


class File(NamedTuple):
    """One attachment."""

    name: str
    media_type: str
    data: bytes


class Content(NamedTuple):
    """``is_whole`` is False if something was cut; then the first file is the whole mail (``message.eml``)."""

    text: str
    files: tuple[File, ...]
    is_whole: bool


def read_content(tree: Tree, data: bytes) -> Content:
    """Read a mail's parts. One that can't be read becomes a file as it came."""
    texts: list[str] = []
    files: list[File] = []
    is_whole = tree.is_whole
    for leaf, is_body in _bodies(tree.root):
        try:
            text = _text(leaf) if is_body else None
        except Exception:  # noqa: BLE001  # one part that can't be read costs that part, not the mail
            text = None
        if text is None:
            files.append(_file(leaf, len(files) + 1))
        elif text:
            texts.append(text)
            is_whole = is_whole and len(leaf.body) <= _MAX_SOURCE_BYTES
    text = tidy("\n\n".join(texts))
    is_whole = is_whole and len(text) <= MAX_TEXT_CHARS and len(files) < _MAX_FILES
    if not is_whole:
        files = [File("message.eml", "message/rfc822", data), *files[: _MAX_FILES - 1]]
    # Four times what is kept: enough that a long quotation above a short answer doesn't hide it.
    return Content(text[: 4 * MAX_TEXT_CHARS], tuple(files), is_whole)


def _bodies(part: Part, *, wants_text: bool = True) -> Iterator[tuple[Part, bool]]:
    """Every leaf that counts, and whether it is part of the text. Of alternatives the plain one is; the others
    then only give what isn't text (the pictures of the HTML)."""
    if not part.children:
        is_shown = _is_shown(part)
        if wants_text or not is_shown:
            yield part, is_shown
        return
    plain = _plain(part.children) if part.media_type == "multipart/alternative" else None
    for child in part.children:
        yield from _bodies(child, wants_text=wants_text and (plain is None or child is plain))


def _plain(children: tuple[Part, ...]) -> Part | None:
    """The alternative in plain text, unless it is empty."""
    return next((child for child in children if _is_plain(child) and child.content().strip()), None)


def _is_plain(part: Part) -> bool:
    return part.media_type == "text/plain" and _is_shown(part)


def _is_shown(part: Part) -> bool:
    if part.media_type not in ("text/plain", "text/html"):
        return False
    disposition = part.headers.first("content-disposition").partition(";")[0].strip().lower()
    return disposition != "attachment" and not _file_name(part)


def _text(leaf: Part) -> str:
    charset = leaf.headers.parameters("content-type").get("charset", "")
    text = decoded(leaf.content()[:_MAX_SOURCE_BYTES], charset)
    return html_to_text(text) if leaf.media_type == "text/html" else text.strip("\r\n")


def _file(leaf: Part, number: int) -> File:
    try:
        data = leaf.content()
    except Exception:  # noqa: BLE001  # as it came, then
        data = leaf.body
    try:
        name = _file_name(leaf)
    except Exception:  # noqa: BLE001  # a file without a name is still a file
        name = ""
    return File(name or f"file-{number}{_EXTENSIONS.get(leaf.media_type, '')}", leaf.media_type, data)


def _file_name(leaf: Part) -> str:
    name = leaf.headers.parameters("content-disposition").get("filename", "")
    name = name or leaf.headers.parameters("content-type").get("name", "")
    return tidy(name.replace("\\", "/").rpartition("/")[2]).replace("\n", " ").strip()[:200]
