"""What an account of the chat channel is told."""

from typing import Annotated
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from router.runtime.token_bucket import Rate


class ChatOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All have defaults. Pages of Turnout's own address may always open a chat."""

    origins: Annotated[
        tuple[str, ...],
        Meta(max_length=100, description="Sites whose pages may open a chat: https://shop.example, a port if unusual."),
    ] = ()
    max_frame_bytes: Annotated[int, Meta(ge=1024, le=262_144, description="Largest message.")] = 32_768
    messages_per_s: Annotated[
        float, Meta(gt=0, le=10_000, description="How fast one customer may write, over all his windows.")
    ] = 2.0
    messages_burst: Annotated[int, Meta(ge=1, le=100_000, description="How much of that at once.")] = 40
    session_days: Annotated[
        int, Meta(ge=1, le=30, description="So long a customer who comes back finds his conversation.")
    ] = 30
    max_sockets: Annotated[int, Meta(ge=1, le=100_000, description="Chats open at once in a process.")] = 10_000
    hello_s: Annotated[float, Meta(gt=0, le=60, description="Who says nothing for so long at first is cut off.")] = 10.0
    heartbeat_s: Annotated[float, Meta(gt=0, le=300, description="How often a line is tried for life.")] = 20.0

    def __post_init__(self) -> None:
        for origin in self.origins:
            _check(origin)

    def rate(self) -> Rate:
        return Rate(self.messages_per_s, self.messages_burst)

    def session_ms(self) -> int:
        return self.session_days * 86_400_000


def _check(origin: str) -> None:
    try:
        url = urlsplit(origin)
        is_site = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    except ValueError:
        is_site = False
    if not is_site or origin.lower() != f"{url.scheme}://{url.netloc}".lower() or "@" in origin:
        raise ValueError("an origin is https://HOST or https://HOST:PORT, with nothing behind it")


def may_open(origins: list[str], options: ChatOptions, *, own: frozenset[str]) -> bool:
    """Whether a page may open a chat, by the ``Origin`` headers of its request. A browser always sends one, so
    none is a no, and so are two. ``own`` are the origins of Turnout's own pages."""
    if len(origins) != 1:
        return False
    (origin,) = (one.lower() for one in origins)
    return origin in own or any(origin == allowed.lower() for allowed in options.origins)
