"""What an account of the web form channel is told."""

from typing import Annotated
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta


class WebFormOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All have defaults: without ``mail_account`` answers are read under a signed link."""

    mail_account: Annotated[
        Annotated[str, Meta(min_length=1, max_length=200)] | None,
        Meta(description="E-mail account that answers go out by. Absent: they are read under a signed link."),
    ] = None
    title: Annotated[str, Meta(min_length=1, max_length=200, description="Title of that page.")] = "Your inquiry"
    origins: Annotated[
        tuple[str, ...], Meta(max_length=50, description="Sites whose pages may post: https://shop.example.")
    ] = ()
    honeypot: Annotated[
        str, Meta(min_length=1, max_length=50, description="A field that people don't see and must stay empty.")
    ] = "website"
    form_token: Annotated[bool, Meta(description="A form must carry a token of ours.")] = True
    min_fill_s: Annotated[
        float, Meta(ge=0, le=60, description="How old the token must be: who fills a form in faster is a machine.")
    ] = 3.0
    per_minute: Annotated[int, Meta(ge=1, le=10_000, description="Forms a minute from one public address.")] = 20
    link_days: Annotated[int, Meta(ge=1, le=365, description="How long the link works.")] = 60
    max_bytes: Annotated[int, Meta(ge=1024, le=32 * 1024 * 1024, description="Largest form, files included.")] = (
        10 * 1024 * 1024
    )

    def __post_init__(self) -> None:
        for origin in self.origins:
            if not _is_origin(origin):
                raise ValueError("an origin is https:// or http://, a host and nothing behind it")


def _is_origin(text: str) -> bool:
    try:
        url = urlsplit(text)
        return url.scheme in ("https", "http") and bool(url.hostname) and text == f"{url.scheme}://{url.netloc}".lower()
    except ValueError:
        return False
