"""What docs/channels.md gives shops to put on their pages works in a browser, on a page of another origin."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from channels.chat.adapter import adapter as chat
from channels.chat.simulator import ChatSimulator
from channels.web_form.adapter import adapter as web_form
from channels.web_form.simulator import WebFormSimulator
from router.runtime.bus.memory import MemoryBus
from router.runtime.listening import Listener
from tests.suites.channel_world import ACCOUNT, ChannelWorld, running

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "channels.md").read_text("utf-8")
CHAT, FORM = re.findall(r"```html\n(.*?)```", PAGE, re.DOTALL)


class Shop:
    """Serves one page, which is made anew for each channel."""

    def __init__(self) -> None:
        self.html = ""
        self._listener = Listener(closing_s=0.1)

    async def open(self) -> None:
        app = web.Application()
        app.router.add_get("/", self._show)
        await self._listener.open(app, "127.0.0.1", 0)

    async def close(self) -> None:
        await self._listener.close()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._listener.port}"

    def put(self, block: str, written: str, world: ChannelWorld) -> None:
        """The block of the page, with the address of this world's account in place of the one that is written."""
        assert world.role is not None
        channel = written.partition("/")[0]
        served = f"{world.role.url}/{channel}/{ACCOUNT}"
        assert f"https://channels.shop.example/{written}" in block
        self.html = block.replace(f"https://channels.shop.example/{written}", served)

    async def _show(self, _request: web.Request) -> web.Response:
        return web.Response(text=f"<!doctype html><body>{self.html}", content_type="text/html", charset="utf-8")


class FormOfAShop(WebFormSimulator):
    def __init__(self, origin: str) -> None:
        super().__init__()
        self._origin = origin

    async def start(self, account: str) -> Mapping[str, Any]:
        return {**await super().start(account), "origins": [self._origin]}


class ChatOfAShop(ChatSimulator):
    def __init__(self, origin: str) -> None:
        super().__init__()
        self._origin = origin

    async def start(self, account: str) -> Mapping[str, Any]:
        return {**await super().start(account), "origins": [self._origin]}


@asynccontextmanager
async def opened() -> AsyncIterator[Shop]:
    shop = Shop()
    await shop.open()
    try:
        yield shop
    finally:
        await shop.close()


async def test_the_form_of_the_page_arrives_and_leads_to_its_answers(browser: Any) -> None:
    async with opened() as shop, running(ChannelWorld(MemoryBus(), web_form(), FormOfAShop(shop.origin))) as world:
        shop.put(FORM, "web_form/form", world)
        page = await browser.new_page(locale="ko-KR")
        async with page.expect_response(re.compile("/token$")):
            await page.goto(shop.origin)
        await page.wait_for_function("document.querySelector('#ask [name=token]').value")
        await page.get_by_label("E-mail").fill("kim@example.com")
        await page.get_by_label("Order").fill("A-17")
        await page.get_by_label("Message").fill("주문을 취소하고 싶어요.")
        await page.get_by_role("button", name="Send").click()
        await page.get_by_text("아직 답변이 없습니다.").wait_for()
        (inquiry,) = await world.inquiries_of(1)
        assert (inquiry.text, inquiry.fields["order"]) == ("주문을 취소하고 싶어요.", "A-17")


async def test_the_line_of_the_page_opens_the_chat(browser: Any) -> None:
    async with opened() as shop, running(ChannelWorld(MemoryBus(), chat(), ChatOfAShop(shop.origin))) as world:
        shop.put(CHAT, "chat/talk", world)
        page = await browser.new_page(locale="en-GB")
        await page.goto(shop.origin)
        await page.get_by_role("button", name="상담하기").click()
        await page.keyboard.insert_text("배송은 언제 오나요?")
        await page.keyboard.press("Enter")
        (inquiry,) = await world.inquiries_of(1)
        assert (inquiry.text, inquiry.customer.locale) == ("배송은 언제 오나요?", "ko")
