import asyncio
import contextlib
from collections.abc import Sequence

import aiohttp
import pytest
from aiohttp import web

from router.contract.config import Role
from router.contract.ids import PoolId
from router.runtime.errors import StoreUnavailable
from router.service.configuration.api_keys import make_key
from router.store.acts import AnyAct, Outcome
from tests.suites.api_bench import ApiBench


@pytest.mark.parametrize("token", ["", "turnout_0_0", "nonsense", "turnout_"])
async def test_an_unknown_key_opens_no_session(bench: ApiBench, token: str) -> None:
    async with bench.http.ws_connect(bench.url("/v1/session")) as socket:
        await socket.send_json({"type": "hello", "key": token})
        told = await socket.receive_json(timeout=10)
        assert (told["type"], told["problem"]["status"]) == ("problem", 401)
        await socket.receive(timeout=10)
        assert socket.close_code == 4401


@pytest.mark.parametrize("role", [Role.OPERATIONS, Role.SUPERVISOR])
async def test_a_key_without_an_advisor_opens_no_session(bench: ApiBench, role: Role) -> None:
    async with bench.http.ws_connect(bench.url("/v1/session")) as socket:
        await socket.send_json({"type": "hello", "key": bench.key(role)})
        assert (await socket.receive_json(timeout=10))["problem"]["status"] == 403
        await socket.receive(timeout=10)
        assert socket.close_code == 4403


async def test_an_advisor_who_is_not_on_the_roster_is_told_so(bench: ApiBench) -> None:
    async with bench.http.ws_connect(bench.url("/v1/session")) as socket:
        await socket.send_json({"type": "hello", "key": bench.key(Role.ADVISOR, "ghost")})
        assert "no advisor ghost" in (await socket.receive_json(timeout=10))["problem"]["detail"]


async def test_a_revoked_key_ends_its_sessions(bench: ApiBench) -> None:
    await bench.advisor("minji")
    key, token = bench.made_key(Role.ADVISOR, "minji")
    async with bench.session(token) as talk:
        bench.keys.remove(key.id)
        assert await talk.closed() == 4401
    await bench.left("minji")


async def test_a_page_of_another_site_opens_no_session(bench: ApiBench) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
        await bench.http.ws_connect(bench.url("/v1/session"), headers={"Origin": "https://evil.example"})
    assert refusal.value.status == 403
    own = f"http://127.0.0.1:{bench.server.port}"
    async with bench.http.ws_connect(bench.url("/v1/session"), headers={"Origin": own}) as socket:
        assert not socket.closed


@pytest.mark.parametrize(
    ("frame", "word"),
    [
        ({"type": "reply", "op": "x", "case": "c"}, "text"),
        ({"type": "dance", "op": "x"}, "dance"),
        ({"type": "note", "op": "x", "case": "c", "text": "t", "loud": True}, "loud"),
        ({"type": "note", "case": "c", "text": "t"}, "op"),
    ],
)
async def test_a_malformed_frame_is_refused_and_the_session_goes_on(
    bench: ApiBench, frame: dict[str, object], word: str
) -> None:
    minji = await bench.advisor("minji")
    async with bench.session(minji) as talk:
        await talk.socket.send_json(frame)
        told = await talk.next("problem")
        assert told["problem"]["status"] == 400
        assert word in told["problem"]["detail"]
        assert told.get("op", "") == frame.get("op", "")
        await bench.online(talk)


async def test_a_flood_of_frames_ends_the_session(bench: ApiBench) -> None:
    minji = await bench.advisor("minji")
    async with bench.session(minji) as talk:
        for number in range(201):
            await talk.say("presence", op=f"p{number}", presence="online")
        assert (await talk.next("problem"))["problem"]["status"] == 429
        assert await talk.closed() == 1008


async def test_a_frame_that_is_too_large_ends_the_session(bench: ApiBench) -> None:
    minji = await bench.advisor("minji")
    async with bench.session(minji) as talk:
        await talk.say("note", op="n", case="c", text="x" * 300_000)
        assert await talk.closed() == 1009


async def test_stopping_the_api_gives_the_connections_back(bench: ApiBench) -> None:
    minji = await bench.advisor("minji")
    async with bench.session(minji) as talk:
        closing = asyncio.create_task(bench.server.close())
        assert await talk.closed() == 1012
        await closing
    assert (await bench.person("minji")).connections == ()
    assert bench.server.sessions == 0


async def test_an_advisor_has_no_more_sessions_than_anybody_needs(bench: ApiBench) -> None:
    minji = await bench.advisor("minji")
    async with contextlib.AsyncExitStack() as open_sessions:
        for _ in range(10):
            await open_sessions.enter_async_context(bench.session(minji))
        async with bench.http.ws_connect(bench.url("/v1/session")) as socket:
            await socket.send_json({"type": "hello", "key": minji})
            assert (await socket.receive_json(timeout=10))["problem"]["status"] == 429
    await bench.left("minji")


async def test_a_store_that_is_away_is_a_problem_that_may_be_retried_with_the_same_operation(
    bench: ApiBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    minji = await bench.advisor("minji")
    async with bench.session(minji) as talk:
        await bench.online(talk)
        case = await bench.write()
        await talk.next("offer")
        apply = bench.store.apply

        async def applied_unheard(acts: Sequence[AnyAct]) -> Sequence[Outcome]:
            await apply(acts)
            raise StoreUnavailable("the answer was lost")

        with monkeypatch.context() as patch:
            patch.setattr(bench.store, "apply", applied_unheard)
            await talk.say("accept", op="once", case=case)
            found = (await talk.next("problem", op="once"))["problem"]
        assert (found["status"], found["retryable"]) == (503, True)
        assert (await talk.do("accept", op="once", case=case))["result"] == "assigned"
    history = await bench.store.history(bench.desk.pool, case)
    assert [line.split("|")[1] for line in history].count("accept") == 1


async def test_a_client_that_does_not_read_is_let_go(bench: ApiBench, monkeypatch: pytest.MonkeyPatch) -> None:
    minji = await bench.advisor("minji")
    monkeypatch.setattr("router.api.sessions.session._SEND_S", 0.05)
    async with bench.session(minji) as talk:
        monkeypatch.setattr(web.WebSocketResponse, "send_str", _never)
        await talk.say("presence", op="come", presence="online")
        await bench.left("minji")
    assert bench.registry.get_sample_value("turnout_api_sessions_closed_total", {"by": "slow"}) == 1


async def _never(_socket: web.WebSocketResponse, _text: str) -> None:
    await asyncio.Event().wait()


async def test_a_key_of_a_pool_that_is_not_served_here_opens_nothing(bench: ApiBench) -> None:
    key, token = make_key(Role.SUPERVISOR, PoolId("other"), created_at_ms=0)
    bench.keys.put(key)
    assert (await bench.get("/v1/me", token))[0] == 403
