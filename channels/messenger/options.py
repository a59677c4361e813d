"""What an account of the Messenger channel is told."""

import hashlib
import hmac
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from channels.kit.outbound import checked_url
from router.runtime.secret import Secret

_DIGITS: Final = frozenset("0123456789")


class MessengerOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``page_id``: the page that customers write to. ``app_secrets``: what the app's events are signed with;
    two while one replaces the other. ``verify_token``: what the app's webhook was set up with.
    ``human_agent``: the app may answer for seven days, not one, by Messenger's human-agent permission.
    ``api_url``: the Graph API with its version. ``allow_private``: it and the customers' files may be http
    and in the own network. ``max_file_bytes``: larger files are named in the inquiry, not fetched.
    """

    page_id: Annotated[str, Meta(min_length=1, max_length=50)]
    page_token: Secret
    app_secrets: Annotated[tuple[Secret, ...], Meta(min_length=1, max_length=4)]
    verify_token: Secret
    human_agent: bool = False
    api_url: str = "https://graph.facebook.com/v25.0"
    allow_private: bool = False
    max_file_bytes: Annotated[int, Meta(ge=0, le=32 * 1024 * 1024)] = 25 * 1024 * 1024
    reply_timeout_s: Annotated[float, Meta(gt=0, le=25)] = 15.0

    def __post_init__(self) -> None:
        if not _DIGITS.issuperset(self.page_id):
            raise ValueError("page_id is the number of the page")
        for secret in self.app_secrets:
            if len(secret.reveal()) < 16 or not secret.reveal().isascii():
                raise ValueError("an app secret has 16 characters or more")
        if len(self.verify_token.reveal()) < 16:
            raise ValueError("a verify token has 16 characters or more")
        token = self.page_token.reveal()
        if not (token and token.isascii() and token.isprintable() and " " not in token):
            raise ValueError("page_token is the page's access token")
        checked_url(self.api_url, allow_private=self.allow_private)

    def incoming_keys(self) -> tuple[bytes, ...]:
        return tuple(secret.reveal().encode() for secret in self.app_secrets)

    def proof(self) -> str:
        """Shows the Graph API that the token is used by the app it was made for."""
        return hmac.digest(self.incoming_keys()[0], self.page_token.reveal().encode(), hashlib.sha256).hex()
