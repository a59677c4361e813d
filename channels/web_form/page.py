"""The page on which a customer reads the answers: plain HTML, everything escaped, no scripts. Pure."""

from collections.abc import Sequence
from html import escape
from typing import Final, NamedTuple

from channels.web_form.answers import Answer
from router.contract.codec import rfc3339

HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex",
    "X-Content-Type-Options": "nosniff",
}
"""Of everything that is read under a link: the link is the key, so it goes nowhere else."""


class Words(NamedTuple):
    language: str
    waiting: str
    write: str
    send: str
    thanks: str


_ENGLISH: Final = Words("en", "There is no answer yet.", "Write again", "Send", "Thank you. Your message has arrived.")
_KOREAN: Final = Words("ko", "아직 답변이 없습니다.", "다시 문의하기", "보내기", "감사합니다. 문의가 접수되었습니다.")


class WriteAgain(NamedTuple):
    """What the page's own form needs: where it goes, and the tokens it carries."""

    action: str
    thread: str
    token: str
    honeypot: str


def words(accept_language: str) -> Words:
    """Korean for who asks for it first, else English."""
    return _KOREAN if accept_language.strip().lower().startswith("ko") else _ENGLISH


def answers_page(title: str, answers: Sequence[Answer], again: WriteAgain, said: Words) -> str:
    """All answers in order, their files as links beside the page's own address."""
    shown = "".join(_answer(number, answer, again) for number, answer in enumerate(answers))
    body = shown or f"<p>{escape(said.waiting)}</p>"
    return _page(title, body + _form(again, said), said)


def thanks_page(title: str, said: Words) -> str:
    return _page(title, f"<p>{escape(said.thanks)}</p>", said)


def _page(title: str, body: str, said: Words) -> str:
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
    return (
        f'<!doctype html><html lang="{said.language}"><head>{head}</head>'
        f"<body><main><h1>{escape(title)}</h1>{body}</main></body></html>"
    )


def _answer(number: int, answer: Answer, again: WriteAgain) -> str:
    at = rfc3339(answer.at_ms)
    subject = f"<h2>{escape(answer.subject)}</h2>" if answer.subject else ""
    text = "<br>".join(escape(line) for line in answer.text.split("\n"))
    files = "".join(
        f'<li><a href="{escape(again.thread)}/{number}/{index}" download>{escape(file.name)}</a></li>'
        for index, file in enumerate(answer.files)
    )
    files = f"<ul>{files}</ul>" if files else ""
    return (
        f'<article><time datetime="{at}">{at[:16].replace("T", " ")} UTC</time>{subject}<p>{text}</p>{files}</article>'
    )


def _form(again: WriteAgain, said: Words) -> str:
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{escape(value)}">'
        for name, value in (("thread", again.thread), ("token", again.token), (again.honeypot, ""))
    )
    return (
        f'<form method="post" action="{escape(again.action)}">{hidden}<p><label>{escape(said.write)}<br>'
        f'<textarea name="message" rows="6" cols="60" required></textarea></label></p>'
        f"<p><button>{escape(said.send)}</button></p></form>"
    )
