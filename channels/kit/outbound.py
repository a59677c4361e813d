"""Requests to addresses that somebody typed in: resolved once, refused where they lead inside, then pinned."""

import asyncio
import ipaddress
import socket
from typing import Final, NamedTuple
from urllib.parse import SplitResult, urlsplit, urlunsplit

_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")


class AddressRefused(Exception):
    """The address must not be called; the text says why, for the operator."""


class Destination(NamedTuple):
    """Where to connect to, and what to say there: ``headers`` and ``server_hostname`` go into the request."""

    url: str
    headers: dict[str, str]
    server_hostname: str | None


def checked_url(text: str, *, allow_private: bool) -> SplitResult:
    """The address if it may be used at all: https, or http where private addresses are allowed; no user and
    password in it. Raises ``ValueError``, which doesn't quote it."""
    schemes = ("https", "http") if allow_private else ("https",)
    try:
        url = urlsplit(text)
        host, port = url.hostname, url.port
    except ValueError:
        host, port = None, None
    if not host or url.scheme not in schemes or port == 0:
        raise ValueError(f"an address is {' or '.join(schemes)}, with a host")
    if url.username is not None or url.password is not None:
        raise ValueError("an address holds no name and no password of its own")
    return url


async def destination(text: str, *, allow_private: bool) -> Destination:
    """Resolve the host once. Unless private addresses are allowed, all it resolves to must be public, and the
    request goes to the very address that was looked at: a name that changes in between changes nothing.

    Raises ``AddressRefused``, and ``OSError`` when the name can't be resolved (which never means yes).
    """
    url = checked_url(text, allow_private=allow_private)
    assert url.hostname is not None
    if allow_private:
        return Destination(text, {}, None)
    port = url.port or 443
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(url.hostname, port, type=socket.SOCK_STREAM)
    addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    if not addresses or not all(is_public(address) for address in addresses):
        raise AddressRefused(f"{url.hostname} leads to an address that is not public")
    literal = f"[{addresses[0]}]" if addresses[0].version == 6 else str(addresses[0])
    pinned = urlunsplit(url._replace(netloc=f"{literal}:{port}"))
    return Destination(pinned, {"Host": url.netloc}, url.hostname)


def is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether the address is anybody's on the internet. What an IPv6 address carries inside (mapped, 6to4,
    Teredo, NAT64) must be so too."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is not None:
            return is_public(inner)
        if address.teredo is not None or address in _NAT64:
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved
