"""The widget in a real browser, on a page with a strict policy: written by keyboard, answered, cut, reloaded."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from channels.chat.adapter import adapter
from channels.chat.simulator import ChatSimulator
from channels.chat.visit import MAX_VISITS
from router.contract.messages import Inquiry
from router.runtime.bus.memory import MemoryBus
from tests.suites.channel_world import ACCOUNT, ChannelWorld, running


@pytest.fixture
async def world() -> AsyncIterator[ChannelWorld]:
    async with running(ChannelWorld(MemoryBus(), adapter(), ChatSimulator())) as made:
        yield made


class Page:
    """The shop's page with the chat on it."""

    def __init__(self, page: Any, world: ChannelWorld) -> None:
        self.page = page
        self.world = world
        self.complaints: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda said: self.complaints.append(said.text) if "Security" in said.text else None)

    async def open(self) -> None:
        assert self.world.role is not None
        await self.page.goto(f"{self.world.role.url}/chat/{ACCOUNT}/")

    async def write(self, text: str) -> None:
        await self.page.keyboard.insert_text(text)
        await self.page.keyboard.press("Enter")

    async def bubbles(self, count: int) -> list[str]:
        """What the log shows, once there are so many bubbles and all have been sent."""
        log = self.page.locator("#log")
        await log.locator("> div").nth(count - 1).wait_for()
        await log.locator("small", has_text="sending").wait_for(state="detached")
        found: list[str] = await log.locator("> div > span").all_inner_texts()
        return found

    async def inquiries(self, count: int) -> list[Inquiry]:
        return await self.world.inquiries_of(count)


async def test_a_customer_writes_is_answered_cut_off_and_comes_back(browser: Any, world: ChannelWorld) -> None:
    shop = Page(await browser.new_page(locale="en-GB"), world)
    await shop.open()
    await shop.page.keyboard.press("Tab")
    await shop.page.keyboard.press("Enter")
    await shop.write("<img src=x onerror=alert(1)> Where is it?")
    (inquiry,) = await shop.inquiries(1)
    assert inquiry.text == "<img src=x onerror=alert(1)> Where is it?"
    assert inquiry.customer.locale == "en-GB"
    await world.answer(inquiry, "r1", "<b>내일</b> 옵니다")
    assert await shop.bubbles(2) == ["<img src=x onerror=alert(1)> Where is it?", "<b>내일</b> 옵니다"]

    assert world.role is not None
    for visit in [one for desk in _channel(world)._desks.values() for one in desk.sockets]:
        transport = visit.get_extra_info("socket")
        assert transport is not None
        transport.shutdown(2)
    await world.answer(inquiry, "r2", "second")
    await shop.write("and this?")
    assert sorted(await shop.bubbles(4)) == sorted([inquiry.text, "<b>내일</b> 옵니다", "second", "and this?"])

    await shop.page.reload()
    await world.answer(inquiry, "r3", "third")
    await shop.page.locator("#open", has_text="1 unread").click()
    assert len(await shop.bubbles(5)) == 5
    assert len({each.conversation for each in await shop.inquiries(2)}) == 1
    await shop.page.keyboard.press("Escape")
    await shop.page.locator("#panel").wait_for(state="hidden")
    assert shop.complaints == []


async def test_it_speaks_korean(browser: Any, world: ChannelWorld) -> None:
    shop = Page(await browser.new_page(locale="ko-KR"), world)
    await shop.open()
    await shop.page.get_by_role("button", name="상담하기").click()
    await shop.write("배송은 언제 오나요?")
    (inquiry,) = await shop.inquiries(1)
    assert inquiry.customer.locale == "ko-KR"
    assert await shop.page.get_by_role("button", name="보내기").is_visible()
    assert await shop.page.locator("[data-turnout-chat]").get_attribute("lang") == "ko"
    assert shop.complaints == []


async def test_a_message_that_was_sent_is_not_read_out_again(browser: Any, world: ChannelWorld) -> None:
    shop = Page(await browser.new_page(locale="en-GB"), world)
    await shop.open()
    await shop.page.get_by_role("button", name="Chat with us").click()
    world.bus.hold()
    await shop.write("Where is it?")
    log = shop.page.locator("#log")
    await log.get_by_text("You · sending").wait_for()
    await log.evaluate("(log) => { log.firstChild.isTheSame = true; }")
    world.bus.release()
    assert await shop.bubbles(1) == ["Where is it?"]
    assert await log.evaluate("(log) => log.firstChild.isTheSame")
    assert await log.locator("small").inner_text() == "You"
    assert await log.get_attribute("aria-relevant") == "additions"


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_it_fits_a_phone_and_can_be_read_on_a_dark_page(browser: Any, world: ChannelWorld, theme: str) -> None:
    phone = await browser.new_context(
        viewport={"width": 320, "height": 480}, is_mobile=True, has_touch=True, color_scheme=theme
    )
    shop = Page(await phone.new_page(), world)
    await shop.open()
    await shop.page.evaluate("document.documentElement.style.colorScheme = 'light dark'")
    assert await shop.page.evaluate("document.documentElement.scrollWidth") <= 320
    await shop.page.locator("#open").tap()
    box = await shop.page.locator("#panel").bounding_box()
    assert box["x"] >= 0
    assert box["y"] >= 0
    assert box["x"] + box["width"] <= 320
    colours = "(field) => { const how = getComputedStyle(field); return [how.color, how.backgroundColor]; }"
    assert await shop.page.locator("textarea").evaluate(colours) == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]


async def test_a_window_too_many_says_so_and_goes_on_when_it_is_written_in(browser: Any, world: ChannelWorld) -> None:
    visitor = await browser.new_context(locale="en-GB")
    first, *others = [Page(await visitor.new_page(), world) for _ in range(MAX_VISITS + 1)]
    await first.open()
    await first.page.get_by_role("button", name="Chat with us").click()
    await first.write("one")
    await first.bubbles(1)
    for other in others:
        await other.open()
    status = first.page.locator("#status")
    await status.get_by_text("This chat is open in other windows").wait_for()
    await first.page.locator("textarea").focus()
    await first.write("two")
    assert await first.bubbles(2) == ["one", "two"]
    assert await status.inner_text() == ""
    assert [one.text for one in await first.inquiries(2)] == ["one", "two"]


def _channel(world: ChannelWorld) -> Any:
    """The open channel itself: its sockets are cut from within."""
    assert world.role is not None
    return world.role._channels["chat"]._opened
