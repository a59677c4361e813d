"""What a site loads: small, still the same when it hasn't changed, and at home under a strict policy."""

import re
from importlib import resources

import pytest
from aiohttp.test_utils import make_mocked_request

from channels.chat.pages import Page, demo_page, widget_page

WIDGET = resources.files("channels.chat").joinpath("widget", "widget.js").read_text("utf-8")


def test_the_widget_is_small() -> None:
    assert len(WIDGET.encode()) < 11 * 1024


@pytest.mark.parametrize("sink", ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "srcdoc"])
def test_the_widget_never_makes_markup_of_text(sink: str) -> None:
    assert sink not in WIDGET


def test_the_widget_says_the_same_in_both_languages() -> None:
    korean, english = re.findall(r"[?:] \{\n(.*?)\n      \}", WIDGET, re.DOTALL)[:2]
    assert re.findall(r"(\w+): [\"(]", korean) == re.findall(r"(\w+): [\"(]", english)


def test_the_demo_page_forbids_what_is_inline() -> None:
    response = demo_page("https://help.example/chat").answer(make_mocked_request("GET", "/"))
    policy = response.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "connect-src 'self' wss://help.example;" in policy
    assert b"<style" not in bytes(response.body or b"")  # type: ignore[arg-type]  # a body of our own: bytes


@pytest.mark.parametrize("page", [widget_page(), demo_page("http://127.0.0.1:1/chat")])
def test_a_page_that_is_known_is_not_sent_again(page: Page) -> None:
    first = page.answer(make_mocked_request("GET", "/"))
    assert first.status == 200
    again = page.answer(make_mocked_request("GET", "/", headers={"If-None-Match": first.headers["ETag"]}))
    assert (again.status, again.body) == (304, None)
