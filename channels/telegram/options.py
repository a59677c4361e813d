"""What an account of the Telegram channel is told."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from channels.kit.outbound import checked_url
from router.runtime.secret import Secret

_LETTERS: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")


class TelegramOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the bot is, and how the Bot API is reached."""

    token: Annotated[Secret, Meta(description="The bot's own.")]
    secret_tokens: Annotated[
        tuple[Secret, ...],
        Meta(
            min_length=1, max_length=4, description="What the webhook is set up with; two while one replaces the other."
        ),
    ]
    api_url: Annotated[str, Meta(description="The Bot API server.")] = "https://api.telegram.org"
    allow_private: Annotated[bool, Meta(description="It may be http and in the own network.")] = False
    max_file_bytes: Annotated[
        int, Meta(ge=0, le=20 * 1024 * 1024, description="Larger files are named in the inquiry, not fetched.")
    ] = 20 * 1024 * 1024
    reply_timeout_s: Annotated[float, Meta(gt=0, le=25, description="How long one answer of it may take.")] = 15.0

    def __post_init__(self) -> None:
        bot, _, key = self.token.reveal().partition(":")
        if not (bot.isascii() and bot.isdigit() and key and _LETTERS.issuperset(key)):
            raise ValueError("token is the bot's number, a colon and its key")
        for secret in self.secret_tokens:
            if not (16 <= len(secret.reveal()) <= 256 and _LETTERS.issuperset(secret.reveal())):
                raise ValueError("a secret token has 16 to 256 letters, digits, _ and -")
        checked_url(self.api_url, allow_private=self.allow_private)

    @property
    def bot(self) -> str:
        """The bot's number: message numbers are its own."""
        return self.token.reveal().partition(":")[0]

    def incoming_keys(self) -> tuple[bytes, ...]:
        return tuple(secret.reveal().encode() for secret in self.secret_tokens)
