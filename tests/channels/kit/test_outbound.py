import asyncio
import ipaddress
import socket
from typing import Any

import pytest

from channels.kit.outbound import AddressRefused, checked_url, destination, is_public


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:4700::1111", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1", False),
        ("fd00::1", False),
        ("ff02::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("2002:7f00:1::", False),
        ("64:ff9b::7f00:1", False),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", False),
    ],
)
def test_an_address_inside_is_no_public_one(address: str, public: bool) -> None:
    assert is_public(ipaddress.ip_address(address)) is public


@pytest.mark.parametrize(
    ("text", "allow_private", "ok"),
    [
        ("https://desk.example/x", False, True),
        ("http://desk.example/x", False, False),
        ("http://127.0.0.1:9/x", True, True),
        ("ftp://desk.example/x", True, False),
        ("https://me:hunter2@desk.example/", True, False),
        ("https://[", True, False),
        ("https://desk.example:99999/", True, False),
        ("https://", True, False),
        ("desk.example", True, False),
    ],
)
def test_only_certain_addresses_may_be_written_down(text: str, allow_private: bool, ok: bool) -> None:
    if ok:
        assert checked_url(text, allow_private=allow_private).hostname
        return
    with pytest.raises(ValueError, match="an address") as caught:
        checked_url(text, allow_private=allow_private)
    assert "hunter2" not in str(caught.value)


def _resolving_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    asked: list[str] = []

    async def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        if not addresses:
            raise socket.gaierror("no answer")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
    return asked


async def test_the_request_goes_to_the_address_that_was_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = _resolving_to(monkeypatch, "93.184.216.34", "93.184.216.35")
    found = await destination("https://desk.example:8443/hook?a=1", allow_private=False)
    assert found.url == "https://93.184.216.34:8443/hook?a=1"
    assert (found.headers, found.server_hostname) == ({"Host": "desk.example:8443"}, "desk.example")
    assert asked == ["desk.example"]


async def test_one_address_inside_is_enough_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    _resolving_to(monkeypatch, "93.184.216.34", "127.0.0.1")
    with pytest.raises(AddressRefused):
        await destination("https://desk.example/", allow_private=False)


async def test_no_answer_of_the_resolver_is_no_yes(monkeypatch: pytest.MonkeyPatch) -> None:
    _resolving_to(monkeypatch)
    with pytest.raises(OSError, match="no answer"):
        await destination("https://desk.example/", allow_private=False)


async def test_a_trusted_address_is_taken_as_it_is() -> None:
    found = await destination("http://localhost:1/x", allow_private=True)
    assert (found.url, found.server_hostname) == ("http://localhost:1/x", None)
