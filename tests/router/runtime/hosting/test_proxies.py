"""Whom a request is from: hostile headers, and those of proxies that are trusted."""

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer, make_mocked_request
from multidict import CIMultiDict

from router.runtime.hosting.proxies import Proxies, read_address
from router.runtime.settings.model import ProxyHeader

OURS = ("10.0.0.0/8", "fd00::/8")
PROXY = "10.0.0.1"


def client_of(
    *values: str, peer: str | None = PROXY, trusted: tuple[str, ...] = OURS, header: str = "X-Forwarded-For"
) -> str | None:
    proxies = Proxies(trusted, header=ProxyHeader(header.lower()))
    request = make_mocked_request("GET", "/", headers=CIMultiDict((header, value) for value in values))
    return proxies.client_of(request.clone(remote=peer) if peer is not None else request)


@pytest.mark.parametrize(
    ("values", "client"),
    [
        ([], PROXY),
        (["198.51.100.7"], "198.51.100.7"),
        # Only the last untrusted hop is believed: what stands before it he may have written himself.
        (["1.2.3.4, 198.51.100.7"], "198.51.100.7"),
        (["127.0.0.1, 10.0.0.9, 198.51.100.7"], "198.51.100.7"),
        (["10.9.9.9, 198.51.100.7, 10.0.0.2"], "198.51.100.7"),
        # Several headers are one list, in their order.
        (["1.2.3.4", "198.51.100.7"], "198.51.100.7"),
        (["198.51.100.7", "10.0.0.2, 10.0.0.3"], "198.51.100.7"),
        # All hops are ours: the first of them asks.
        (["10.0.0.7, 10.0.0.2"], "10.0.0.7"),
        # A proxy that can't name whom it forwards for stands for him; what stands before is not looked at.
        (["1.2.3.4, unknown"], PROXY),
        (["1.2.3.4, <script>"], PROXY),
        (["1.2.3.4, 999.1.1.1, 10.0.0.2"], "10.0.0.2"),
        (["1.2.3.4, 10.0.0.2\t,"], "1.2.3.4"),
        ([", ,"], PROXY),
        ([""], PROXY),
        # With ports, brackets and zones, as some write them.
        (["198.51.100.7:49152"], "198.51.100.7"),
        (["[2001:db8::7]:49152"], "2001:db8::7"),
        (["2001:db8::7"], "2001:db8::7"),
        (["fe80::1%eth0"], "fe80::1"),
        (["::ffff:198.51.100.7"], "198.51.100.7"),
        (["198.51.100.7, fd00::2"], "198.51.100.7"),
        (["198.51.100.7, ::ffff:10.0.0.2"], "198.51.100.7"),
        # A long list is read from its end, and no further than anybody needs.
        ([",".join(["1.2.3.4"] * 500 + ["198.51.100.7"])], "198.51.100.7"),
        ([",".join(["1.2.3.4"] + ["10.0.0.2"] * 500)], "10.0.0.2"),
    ],
)
def test_the_client_is_the_last_hop_before_our_proxies(values: list[str], client: str) -> None:
    assert client_of(*values) == client


@pytest.mark.parametrize("peer", ["198.51.100.9", "2001:db8::9", "::ffff:198.51.100.9"])
def test_a_stranger_is_not_believed_whatever_he_writes(peer: str) -> None:
    for value in ("1.2.3.4", "10.0.0.2", "unknown", "127.0.0.1, 10.0.0.1"):
        assert client_of(value, peer=peer) == str(read_address(peer))


def test_without_trusted_proxies_nobody_is_believed() -> None:
    assert client_of("1.2.3.4", trusted=()) == PROXY


def test_behind_a_socket_file_there_is_no_address() -> None:
    assert client_of("1.2.3.4", peer="") == ""


@pytest.mark.parametrize(
    ("values", "client"),
    [
        (["for=198.51.100.7;proto=https;by=10.0.0.1"], "198.51.100.7"),
        (['for=1.2.3.4, For="198.51.100.7:4711";by=_x'], "198.51.100.7"),
        (['proto=https;for="[2001:db8::7]:4711"'], "2001:db8::7"),
        (["for=1.2.3.4, for=_hidden"], PROXY),
        (["for=1.2.3.4, for=unknown"], PROXY),
        (["for=1.2.3.4, proto=https"], PROXY),
        (["for=1.2.3.4, for=198.51.100.7", "for=10.0.0.2"], "198.51.100.7"),
        # A comma or a quote within quotes only takes away what could be believed.
        (['for="1.2.3.4, for=198.51.100.7"'], "198.51.100.7"),
    ],
)
def test_forwarded_is_read_where_the_proxies_write_it(values: list[str], client: str) -> None:
    assert client_of(*values, header="Forwarded") == client


def test_of_the_two_headers_only_the_one_that_the_proxies_write_is_read() -> None:
    headers = {"X-Forwarded-For": "198.51.100.7", "Forwarded": "for=1.2.3.4"}
    request = make_mocked_request("GET", "/", headers=headers).clone(remote=PROXY)
    assert Proxies(OURS).client_of(request) == "198.51.100.7"
    assert Proxies(OURS, header=ProxyHeader.FORWARDED).client_of(request) == "1.2.3.4"


async def test_a_handler_finds_the_client_and_the_body_untouched() -> None:
    async def tell(request: web.Request) -> web.Response:
        return web.json_response([request.remote, await request.text(), request.match_info["name"]])

    app = web.Application(middlewares=[Proxies(["127.0.0.1", "::1"]).name_client])
    app.router.add_post("/{name}", tell)
    async with TestClient(TestServer(app)) as client:
        headers = {"X-Forwarded-For": "1.2.3.4, 198.51.100.7"}
        async with client.post("/x", data="hello", headers=headers) as answer:
            assert await answer.json() == ["198.51.100.7", "hello", "x"]
        async with client.post("/x", data="hello") as answer:
            assert await answer.json() == ["127.0.0.1", "hello", "x"]


async def test_a_websocket_opens_behind_a_proxy() -> None:
    async def greet(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str(request.remote or "")
        await socket.close()
        return socket

    app = web.Application(middlewares=[Proxies(["127.0.0.1", "::1"]).name_client])
    app.router.add_get("/", greet)
    async with TestClient(TestServer(app)) as client:
        socket = await client.ws_connect("/", headers={"X-Forwarded-For": "198.51.100.7"})
        assert await socket.receive_str() == "198.51.100.7"
        await socket.close()
