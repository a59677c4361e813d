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
    """Where mail comes in. All mailboxes of a process share it: one host, one port, one certificate."""

    host: Annotated[str, Meta(description="Address that the port for mail (SMTP) is opened on.")] = "127.0.0.1"
    port: Annotated[Port, Meta(description="The port; 0: a free one.")] = 2525
    hostname: Annotated[str, Meta(description="Name that the server greets with.")] = "localhost"
    tls_cert: Annotated[str | None, Meta(description="PEM file of the certificate: STARTTLS is then offered.")] = None
    tls_key: Annotated[str | None, Meta(description="PEM file of its key.")] = None
    require_tls: Annotated[bool, Meta(description="Take nothing without TLS.")] = False
    connections: Annotated[int, Meta(ge=1, le=10_000, description="Connections open at once.")] = 200
    in_hand_bytes: Annotated[
        int, Meta(ge=1_048_576, description="What all mails that are being received may take together.")
    ] = 256 * 1024 * 1024
    sender_per_s: Annotated[float, Meta(gt=0, description="Mails a second from one sending address.")] = 5.0
    sender_burst: Annotated[float, Meta(ge=1, description="How many of them at once.")] = 100.0

    def __post_init__(self) -> None:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("tls_cert and tls_key belong together")
        if self.require_tls and self.tls_cert is None:
            raise ValueError("require_tls needs tls_cert and tls_key")


class EmailOptions(_Section, frozen=True, kw_only=True):
    """One mailbox: how it is called, how mail comes in (``listen``) and goes out (``relay``)."""

    address: Annotated[str, Meta(description="The mailbox, without a plus.")]
    aliases: Annotated[tuple[str, ...], Meta(max_length=50, description="Other addresses of it.")] = ()
    display_name: Annotated[str, Meta(max_length=100, description="Name that answers are sent under.")] = ""
    plus_addressing: Annotated[
        bool,
        Meta(
            description="Answers ask to be answered at help+token@...; off where your server loses what follows a plus."
        ),
    ] = True
    list_mail: Annotated[
        Literal["automatic", "personal"],
        Meta(
            description="Mail with a mailing list's headers: automatic opens no case; personal is for a mailbox behind "
            "a group address, where each customer's mail has them."
        ),
    ] = "automatic"
    max_bytes: Annotated[int, Meta(ge=65_536, le=MAX_MAIL_BYTES, description="Largest mail.")] = MAX_MAIL_BYTES
    listen: Listen = Listen()
    relay: Relay

    def __post_init__(self) -> None:
        for address in (self.address, *self.aliases):
            if _ADDRESS.fullmatch(address) is None:
                raise ValueError(f"{address!r} is not an address a mailbox can have (and holds no plus)")

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2].lower()
