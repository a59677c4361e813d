"""What an account of the web form channel is told."""

from typing import Annotated
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta


class WebFormOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``mail_account``: the e-mail account that answers are sent from; absent, the customer reads them under
    a signed link, for ``link_days``. ``origins``: the web sites whose pages may post, as browsers write them
    (``https://shop.example``). ``honeypot``: a field that people don't see and must stay empty.
    ``form_token``: a form must carry a token of ours, ``min_fill_s`` old or more. ``per_minute`` forms from
    one public address.
    """

    mail_account: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    title: Annotated[str, Meta(min_length=1, max_length=200)] = "Your inquiry"
    origins: Annotated[tuple[str, ...], Meta(max_length=50)] = ()
    honeypot: Annotated[str, Meta(min_length=1, max_length=50)] = "website"
    form_token: bool = True
    min_fill_s: Annotated[float, Meta(ge=0, le=60)] = 3.0
    per_minute: Annotated[int, Meta(ge=1, le=10_000)] = 20
    link_days: Annotated[int, Meta(ge=1, le=365)] = 60
    max_bytes: Annotated[int, Meta(ge=1024, le=32 * 1024 * 1024)] = 10 * 1024 * 1024

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
