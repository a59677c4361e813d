"""What an account of the webhook channel is told."""

from typing import Annotated

import msgspec
from msgspec import Meta

from channels.kit.outbound import checked_url
from channels.kit.signatures import standard_secret
from router.runtime.secret import Secret

Secrets = Annotated[tuple[Secret, ...], Meta(max_length=4)]


class WebhookOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``allow_private`` is off, since whoever can change an address in the settings could else reach what only
    this machine reaches."""

    secrets: Annotated[
        Secrets,
        Meta(
            min_length=1,
            description="What the sender signs with (whsec_ and base64); two while one replaces the other.",
        ),
    ]
    reply_url: Annotated[str | None, Meta(description="Where replies are posted. Absent: every reply fails.")] = None
    reply_secrets: Annotated[Secrets, Meta(description="What we sign with. Empty: secrets.")] = ()
    allow_private: Annotated[bool, Meta(description="reply_url may be http and lead into the own network.")] = False
    max_bytes: Annotated[
        int, Meta(ge=1024, le=32 * 1024 * 1024, description="Largest message, attachments included.")
    ] = 8 * 1024 * 1024
    reply_timeout_s: Annotated[float, Meta(gt=0, le=25, description="How long one answer to a reply may take.")] = 10.0

    def __post_init__(self) -> None:
        for secret in (*self.secrets, *self.reply_secrets):
            standard_secret(secret.reveal())
        if self.reply_url is not None:
            checked_url(self.reply_url, allow_private=self.allow_private)

    def incoming_keys(self) -> tuple[bytes, ...]:
        return _keys(self.secrets)

    def outgoing_keys(self) -> tuple[bytes, ...]:
        return _keys(self.reply_secrets or self.secrets)


def _keys(secrets: tuple[Secret, ...]) -> tuple[bytes, ...]:
    return tuple(standard_secret(secret.reveal()) for secret in secrets)
