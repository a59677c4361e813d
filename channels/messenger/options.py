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
    """What the page and its app are, and how the Graph API is reached."""

    page_id: Annotated[
        str, Meta(min_length=1, max_length=50, description="Number of the page that customers write to.")
    ]
    page_token: Annotated[Secret, Meta(description="The page's access token.")]
    app_secrets: Annotated[
        tuple[Secret, ...],
        Meta(min_length=1, max_length=4, description="What the app signs with; two while one replaces the other."),
    ]
    verify_token: Annotated[Secret, Meta(description="What the app's webhook is set up with: 16 characters or more.")]
    human_agent: Annotated[
        bool, Meta(description="The app has the human-agent permission: answers go out for seven days, not one.")
    ] = False
    api_url: Annotated[str, Meta(description="The Graph API with its version.")] = "https://graph.facebook.com/v25.0"
    allow_private: Annotated[
        bool, Meta(description="It, and customers' files, may be http and in the own network.")
    ] = False
    max_file_bytes: Annotated[
        int, Meta(ge=0, le=32 * 1024 * 1024, description="Larger files are named in the inquiry, not fetched.")
    ] = 25 * 1024 * 1024
    reply_timeout_s: Annotated[float, Meta(gt=0, le=25, description="How long one answer of it may take.")] = 15.0

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
