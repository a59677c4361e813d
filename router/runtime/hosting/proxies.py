"""Whom a request is from, when proxies of our own stand before the port."""

import ipaddress
from collections.abc import Iterable, Iterator
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from router.runtime.settings.model import ProxyHeader

_MAX_HOPS: Final = 32

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Proxies:
    """Proxies that are believed what they put down of those they forward for, by their networks, in the one
    ``header`` that they write. Whatever else a request says of itself is its sender's, and believed by nobody."""

    def __init__(self, networks: Iterable[str] = (), *, header: ProxyHeader = ProxyHeader.X_FORWARDED_FOR) -> None:
        self._networks = tuple(ipaddress.ip_network(network) for network in networks)
        self._header = header

    @web.middleware
    async def name_client(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Put the client's address in ``request.remote``; without proxies the request is left as it is."""
        client = self.client_of(request) if self._networks else None
        return await handler(request if client in (None, request.remote) else request.clone(remote=client or ""))

    def client_of(self, request: web.Request) -> str | None:
        """The last hop before our proxies: an address without port, or the peer's as it is; None over a socket file.

        Read from the end: what stands before the last stranger he may have written himself. A proxy that can't name
        whom it forwards for stands for him.
        """
        found = peer = read_address(request.remote or "")
        if peer is None:
            return request.remote
        for hop in self._hops(request):
            if not self._is_ours(found):
                break
            named = read_address(hop)
            if named is None:
                break
            found = named
        return str(found)

    def _hops(self, request: web.Request) -> Iterator[str]:
        """What was put down, the last first."""
        parts = ",".join(request.headers.getall(self._header, ())).rsplit(",", _MAX_HOPS)
        for part in reversed(parts[-_MAX_HOPS:]):
            if part.strip():
                yield part if self._header is ProxyHeader.X_FORWARDED_FOR else _forwarded_for(part)

    def _is_ours(self, address: Address | None) -> bool:
        return address is not None and any(address in network for network in self._networks)


def read_address(text: str) -> Address | None:
    """An address with or without port, brackets, zone; an IPv4 one in IPv6's clothes as IPv4. None for all else."""
    plain = text.strip().strip('"')
    if plain.startswith("["):
        plain = plain[1:].partition("]")[0]
    elif plain.count(":") == 1:
        plain = plain.partition(":")[0]
    try:
        address = ipaddress.ip_address(plain.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _forwarded_for(element: str) -> str:
    """The ``for`` of one element of RFC 7239; empty without one."""
    for pair in element.split(";"):
        name, _, value = pair.partition("=")
        if name.strip().lower() == "for":
            return value
    return ""
