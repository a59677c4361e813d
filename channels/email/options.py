"""What a mailbox is told."""

import re
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from channels.kit.mail_relay import Relay

MAX_MAIL_BYTES: Final = 25 * 1024 * 1024
_ADDRESS: Final = re.compile(r"[A-Za-z0-9!#$%&'*/=?^_`{|}~.-]{1,60}@[A-Za-z0-9][A-Za-z0-9.-]{0,180}")
Port = Annotated[int, Meta(ge=0, le=65_535)]


class _Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of the sections: unknown names are refused."""


class Listen(_Section, frozen=True):
    """Where mail comes in. All mailboxes of a process share it: one host, one port, one certificate.

    With ``tls_cert`` and ``tls_key`` (paths of PEM files) STARTTLS is offered, with ``require_tls`` nothing is
    taken without it. ``connections`` may be open at once; ``in_hand_bytes`` is what all mails that are being
    received may take together; ``sender_per_s`` and ``sender_burst`` bound one sending address.
    """

    host: str = "127.0.0.1"
    port: Port = 2525
    hostname: str = "localhost"
    tls_cert: str | None = None
    tls_key: str | None = None
    require_tls: bool = False
    connections: Annotated[int, Meta(ge=1, le=10_000)] = 200
    in_hand_bytes: Annotated[int, Meta(ge=1_048_576)] = 256 * 1024 * 1024
    sender_per_s: Annotated[float, Meta(gt=0)] = 5.0
    sender_burst: Annotated[float, Meta(ge=1)] = 100.0

    def __post_init__(self) -> None:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("tls_cert and tls_key belong together")
        if self.require_tls and self.tls_cert is None:
            raise ValueError("require_tls needs tls_cert and tls_key")


class EmailOptions(_Section, frozen=True, kw_only=True):
    """``address`` is the mailbox, ``aliases`` other addresses of it. Answers are sent as ``display_name``
    <``address``>; their Reply-To is the address with a signed token behind a plus, unless ``plus_addressing``
    is off (the server before us must pass plus addresses on).

    ``list_mail`` says what mail with the headers of a mailing list is: ``automatic`` opens no case; ``personal``
    is for a mailbox that gets its mail through a group address, where every customer's mail has them.
    """

    address: str
    aliases: Annotated[tuple[str, ...], Meta(max_length=50)] = ()
    display_name: Annotated[str, Meta(max_length=100)] = ""
    plus_addressing: bool = True
    list_mail: Literal["automatic", "personal"] = "automatic"
    max_bytes: Annotated[int, Meta(ge=65_536, le=MAX_MAIL_BYTES)] = MAX_MAIL_BYTES
    listen: Listen = Listen()
    relay: Relay

    def __post_init__(self) -> None:
        for address in (self.address, *self.aliases):
            if _ADDRESS.fullmatch(address) is None:
                raise ValueError(f"{address!r} is not an address a mailbox can have (and holds no plus)")

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2].lower()
