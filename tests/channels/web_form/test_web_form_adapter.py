"""What the suite doesn't ask: the web form's own rules, over its real port."""

from collections.abc import AsyncIterator, Mapping
from typing import Any, NamedTuple

import aiohttp
import msgspec
import pytest
from msgspec.structs import replace

from channels.web_form.adapter import adapter
from channels.web_form.options import WebFormOptions
from channels.web_form.simulator import SITE, WebFormSimulator
from router.contract.messages import Attachment, Inquiry
from router.runtime.bus.memory import MemoryBus
from router.runtime.settings.tree import build
from tests.suites.channel_world import ChannelWorld, running

HTML = {"Accept": "text/html,application/json;q=0.9"}


class Configured(WebFormSimulator):
    """A form with these options."""

    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.options = options

    async def start(self, account: str) -> dict[str, Any]:
        return {**await super().start(account), **self.options}


class Said(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)


@pytest.fixture
async def world(request: pytest.FixtureRequest) -> AsyncIterator[ChannelWorld]:
    options = dict(getattr(request, "param", {"form_token": False}))
    proxies = options.pop("trusted_proxies", ())
    made = ChannelWorld(MemoryBus(), adapter(), Configured(**options))
    made.trusted_proxies = proxies
    async with running(made):
        yield made


def with_options(**options: Any) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("world", [{"form_token": False, **options}], indirect=True)


async def ask(world: ChannelWorld, method: str, path: str = "", **how: Any) -> Said:
    assert world.role is not None
    url = path if path.startswith("http") else f"{world.role.url}/web_form/shop{path}"
    async with (
        aiohttp.ClientSession() as client,
        client.request(method, url, allow_redirects=False, **how) as response,
    ):
        return Said(response.status, response.headers, await response.read())


async def post(world: ChannelWorld, fields: Any = None, **headers: str) -> Said:
    return await ask(world, "POST", json=fields or {"message": "hello"}, headers=headers)


async def inquiry(world: ChannelWorld) -> Inquiry:
    return (await world.inquiries_of(1))[0]


@pytest.mark.parametrize(
    ("origin", "status"), [(None, 202), (SITE, 202), (SITE.upper(), 202), ("https://evil.example", 403), ("null", 403)]
)
async def test_only_pages_of_the_allowed_sites_may_post(world: ChannelWorld, origin: str | None, status: int) -> None:
    said = await post(world, **({} if origin is None else {"Origin": origin}))
    assert said.status == status
    allowed = said.headers.get("Access-Control-Allow-Origin")
    assert allowed == (origin if status == 202 else None)
    assert len(await world.inquiries()) == (status == 202)


@pytest.mark.parametrize(("origin", "status"), [(SITE, 204), ("https://evil.example", 403)])
async def test_a_preflight_is_answered(world: ChannelWorld, origin: str, status: int) -> None:
    said = await ask(world, "OPTIONS", headers={"Origin": origin, "Access-Control-Request-Method": "POST"})
    assert said.status == status
    assert said.headers.get("Access-Control-Allow-Origin") == (origin if status == 204 else None)


async def test_the_page_may_read_a_refusal_too(world: ChannelWorld) -> None:
    world.bus.is_down = True
    said = await post(world, Origin=SITE)
    assert (said.status, said.headers["Access-Control-Allow-Origin"]) == (503, SITE)
    assert int(said.headers["Retry-After"]) >= 1


async def test_what_fell_into_the_trap_is_refused_and_counted(world: ChannelWorld) -> None:
    assert (await post(world, {"message": "buy", "website": "https://spam.example"})).status == 422
    assert await world.inquiries() == []
    assert world.registry.get_sample_value("turnout_web_form_refused_total", {"reason": "honeypot"}) == 1


@with_options(form_token=True, min_fill_s=30)
async def test_a_form_must_be_loaded_and_filled_in_at_a_persons_speed(world: ChannelWorld) -> None:
    assert (await post(world)).status == 401
    token = (await ask(world, "GET", "/token")).json["token"]
    assert (await post(world, {"message": "x", "token": f"A{token}"})).status == 401
    said = await post(world, {"message": "x", "token": token})
    assert said.status == 429
    assert 1 <= int(said.headers["Retry-After"]) <= 30
    early = world.signer.sign("web_form fill", f"shop\n{world.clock.now_ms() - 31_000}\nn")
    assert (await post(world, {"message": "x", "token": early})).status == 202


@pytest.mark.parametrize("text", ["other\n0\nn", "shop\n0\nn"])
@with_options(form_token=True)
async def test_a_token_of_another_account_or_day_is_refused(world: ChannelWorld, text: str) -> None:
    token = world.signer.sign("web_form fill", text, expires_at_ms=1 if text.startswith("shop") else 0)
    assert (await post(world, {"message": "x", "token": token})).status == 401


async def test_the_same_submission_is_the_same_inquiry_and_another_text_is_another(world: ChannelWorld) -> None:
    ids = [(await post(world, {"id": "s1", "message": text})).json["id"] for text in ("a", "a", "b")]
    assert ids[0] == ids[1] != ids[2]
    nameless = [(await post(world, {"message": "a"})).json["id"] for _ in range(2)]
    assert nameless[0] != nameless[1]


@with_options(per_minute=2, trusted_proxies=("127.0.0.0/8",))
async def test_one_address_posts_so_much_and_no_more(world: ChannelWorld) -> None:
    async def from_(forwarded: str) -> int:
        return (await post(world, **{"X-Forwarded-For": forwarded})).status

    assert [await from_("8.8.8.8") for _ in range(3)] == [202, 202, 429]
    assert await from_("1.1.1.1, 8.8.8.8") == 429  # what he wrote himself counts nothing
    assert await from_("8.8.4.4, 127.0.0.9") == 202
    assert [await from_(f"2600::{number}") for number in range(3)] == [202, 202, 429]
    assert [await from_("10.0.0.1") for _ in range(3)] == [202] * 3
    assert await from_("nonsense") == 202


@with_options(per_minute=1)
async def test_what_a_stranger_says_of_his_address_is_not_believed(world: ChannelWorld) -> None:
    for _ in range(3):
        assert (await post(world, **{"X-Forwarded-For": "8.8.8.8"})).status == 202


@with_options(mail_account="mail")
async def test_answers_by_mail_go_out_from_the_mail_account(world: ChannelWorld) -> None:
    assert (await post(world)).status == 400
    said = await post(world, {"message": "x", "email": "kim@shop.example"})
    assert (said.status, said.json["answers"], said.json["thread"]) == (202, None, None)
    to = (await inquiry(world)).reply_to
    assert (to.account, to.address) == ("mail", "kim@shop.example")
    page = await post(world, {"message": "x", "email": "kim@shop.example"}, **HTML, **{"Accept-Language": "ko-KR"})
    assert (page.status, "접수되었습니다" in page.body.decode()) == (202, True)


async def test_a_browser_goes_to_the_answers_and_reads_them_escaped(world: ChannelWorld) -> None:
    said = await post(world, **HTML)
    assert said.status == 303
    link = said.headers["Location"]
    assert "There is no answer yet." in (await ask(world, "GET", link, headers=HTML)).body.decode()
    made = await inquiry(world)
    await world.delivery((await world.answer(made, "r1", "<script>alert(1)</script>\nbye & thanks")).id)
    page = await ask(world, "GET", link, headers=HTML)
    text = page.body.decode()
    assert "<script" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;<br>bye &amp; thanks" in text
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert (page.headers["Cache-Control"], page.headers["Referrer-Policy"]) == ("no-store", "same-origin")


async def test_the_page_of_the_answers_writes_again_into_the_conversation(world: ChannelWorld) -> None:
    assert world.role is not None
    first = (await post(world)).json
    fields = {"thread": first["thread"], "message": "and one more thing", "website": ""}
    said = await ask(world, "POST", data=fields, headers={**HTML, "Origin": world.role.url})
    assert said.status == 303
    one, two = await world.inquiries_of(2)
    assert (one.conversation, one.customer) == (two.conversation, two.customer)


@pytest.mark.parametrize("thread", ["x", "a.b", "가.나"])
async def test_nobody_writes_into_a_conversation_that_is_not_his(world: ChannelWorld, thread: str) -> None:
    assert (await post(world, {"message": "x", "thread": thread})).status == 401
    assert await world.inquiries() == []


@pytest.mark.parametrize("path", ["/answers/x", "/answers/a.b", "/answers/x/0/0", "/answers", "/token/x"])
async def test_without_a_link_there_is_nothing(world: ChannelWorld, path: str) -> None:
    assert (await ask(world, "GET", path)).status == 404


@pytest.mark.parametrize("text", ["other\n" + "a" * 36, "shop\n../../x", "shop\n"])
async def test_a_link_of_another_account_or_to_elsewhere_shows_nothing(world: ChannelWorld, text: str) -> None:
    token = world.signer.sign("web_form answers", text)
    assert (await ask(world, "GET", f"/answers/{token}")).status == 404


async def test_files_of_an_answer_are_saved_under_its_link(world: ChannelWorld) -> None:
    link = (await post(world)).json["answers"]
    made = await inquiry(world)
    stored = await world.blobs.put("shop/r1/0", _chunks(b"<html>"), max_bytes=6)
    file = Attachment(name='a"한.html', media_type="text/html", size_bytes=6, sha256=stored.sha256, blob=stored.key)
    reply = replace(await world.answer(made, "r0"), id="r1", attachments=(file,))
    await world.publish(reply)
    await world.delivery(reply.id)
    answers = (await ask(world, "GET", link)).json["answers"]
    assert [answer["id"] for answer in answers] == ["r0", "r1"]
    said = await ask(world, "GET", answers[1]["files"][0]["url"])
    assert (said.status, said.body, said.headers["Content-Type"]) == (200, b"<html>", "application/octet-stream")
    assert said.headers["Content-Disposition"] == "attachment; filename*=UTF-8''a%22%ED%95%9C.html"
    for path in ("1/1", "0/0", "9/0", "9999/0"):
        assert (await ask(world, "GET", f"{link}/{path}")).status == 404


async def _chunks(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def test_a_reply_that_comes_again_is_shown_once(world: ChannelWorld) -> None:
    link = (await post(world)).json["answers"]
    reply = await world.answer(await inquiry(world), "r1")
    await world.delivery(reply.id)
    await world.stop()
    world.ledger._entries.clear()
    await world.start()
    await world.publish(reply)
    await world.delivery((await world.answer(await inquiry(world), "r2")).id)
    assert world.role is not None
    path = link.partition("/web_form/shop")[2]
    assert [answer["id"] for answer in (await ask(world, "GET", path)).json["answers"]] == ["r1", "r2"]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"origins": ["shop.example"]}, "an origin is"),
        ({"origins": ["https://shop.example/"]}, "an origin is"),
        ({"origins": ["*"]}, "an origin is"),
        ({"min_fill_s": -1}, "min_fill_s"),
        ({"max_bytes": 2**30}, "max_bytes"),
        ({"mail_acount": "mail"}, "did you mean 'mail_account'"),
    ],
)
def test_wrong_options_are_said_before_the_start(options: dict[str, Any], problem: str) -> None:
    problems: list[str] = []
    assert build(WebFormOptions, options, problems=problems) is None
    assert problem in " ".join(problems)
