"""HTML mail to plain text, in linear time. Pure.

A tree is not needed for that, and building one is what crafted mails attack: two HTML parsers in C took
seconds for 200 KB of nested elements or of attributes. Quotations come out as lines that start with ``>``.
"""

import html
import re
from typing import Final

_NAME: Final = re.compile(r"/?([a-zA-Z][a-zA-Z0-9:]{0,20})")
_BLANKS: Final = re.compile(r"[ \t\r\n\f\u00a0]+")
_EMPTY_LINES: Final = re.compile(r"\n{3,}")
_HIDDEN: Final = frozenset({"head", "script", "style", "title", "template", "noscript", "xml", "svg"})
_LINES: Final = frozenset(
    [
        "address",
        "article",
        "aside",
        "center",
        "dd",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "li",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "table",
        "tr",
        "ul",
    ]
)
_SPACED: Final = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table", "blockquote"})
_MAX_QUOTE_DEPTH: Final = 20


def html_to_text(source: str) -> str:
    """What a reader sees, block by block; links and images leave no trace beyond their text."""
    writer = _Writer()
    place = 0
    scan = _Scan(source)
    while (opened := source.find("<", place)) >= 0:
        writer.text(source[place:opened])
        place = scan.after_tag(opened, writer)
    writer.text(source[place:])
    return writer.result()


class _Scan:
    """Finds ends of tags and comments. What has no end any more is not looked for again."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._absent: set[str] = set()

    def after_tag(self, opened: int, writer: "_Writer") -> int:
        source = self._source
        if source.startswith("<!--", opened):
            return self._end(opened + 4, "-->")
        named = _NAME.match(source, opened + 1)
        if named is None and source[opened + 1 : opened + 2] not in ("!", "?"):
            writer.text("<")
            return opened + 1
        end = self._end(opened, ">")
        if named is None:
            return end
        name, is_end = named[1].lower(), source[opened + 1] == "/"
        if name in _HIDDEN and not is_end and source[end - 2 : end] != "/>":
            return self._after_hidden(name, end)
        writer.tag(name, is_end=is_end)
        return end

    def _after_hidden(self, name: str, start: int) -> int:
        # An element that is never closed hides nothing: better some code than no text.
        closing = f"</{name}"
        if closing in self._absent:
            return start
        found = re.compile(closing, re.IGNORECASE).search(self._source, start)
        if found is None:
            self._absent.add(closing)
            return start
        return self._end(found.start(), ">")

    def _end(self, start: int, mark: str) -> int:
        found = -1 if mark in self._absent else self._source.find(mark, start)
        if found >= 0:
            return found + len(mark)
        self._absent.add(mark)
        return len(self._source)


class _Writer:
    def __init__(self) -> None:
        self._lines: list[str] = []
        self._words: list[str] = []
        self._depth = 0
        self._pre = 0

    def text(self, raw: str) -> None:
        if not raw:
            return
        text = html.unescape(raw)
        if not self._pre:
            self._words.append(_BLANKS.sub(" ", text))
            return
        first, *rest = text.split("\n")
        self._words.append(first)
        for line in rest:
            self._break()
            self._words.append(line)

    def tag(self, name: str, *, is_end: bool) -> None:
        if name == "br":
            self._break()
        elif name == "blockquote":
            self._end_line(is_spaced=True)
            self._depth = max(0, min(_MAX_QUOTE_DEPTH, self._depth + (-1 if is_end else 1)))
        elif name in ("td", "th"):
            self._words.append(" ")
        elif name in _LINES:
            self._end_line(is_spaced=name in _SPACED)
            if name == "pre":
                self._pre = max(0, self._pre + (-1 if is_end else 1))
            elif name == "li" and not is_end:
                self._words.append("- ")

    def result(self) -> str:
        self._end_line(is_spaced=False)
        return _EMPTY_LINES.sub("\n\n", "\n".join(self._lines)).strip("\n")

    def _end_line(self, *, is_spaced: bool) -> None:
        if any(word.strip() for word in self._words):
            self._break()
        self._words.clear()
        if is_spaced and self._lines and self._lines[-1]:
            self._lines.append("")

    def _break(self) -> None:
        line = "".join(self._words)
        line = line.rstrip() if self._pre else _BLANKS.sub(" ", line).strip()
        self._lines.append(f"{'> ' * self._depth}{line}" if self._depth else line)
        self._words.clear()
