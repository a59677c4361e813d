"""Whether a webhook really comes from its provider: one verifier, one table of schemes. Pure.

A signature is checked over the raw bytes, before anything is parsed, and compared in constant time. A header
that is missing, doubled or no ASCII is a refusal like any other, never an exception. No scheme protects from
a replay inside its tolerance: the provider's message id does (the same id is the same inquiry).
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Final
from urllib.parse import parse_qsl

import msgspec

from router.contract.codec import from_rfc3339
from router.contract.errors import ContractError


class Refusal(StrEnum):
    """Why a request isn't taken for the provider's. For logs and metrics; the sender hears only no."""

    MISSING = "missing"
    DOUBLED = "doubled"
    MALFORMED = "malformed"
    OUT_OF_TIME = "out-of-time"
    WRONG = "wrong"


class Encoding(StrEnum):
    """How a signature is written. ``PLAIN``: the header holds the secret itself, and nothing is signed."""

    HEX = "hex"
    BASE64 = "base64"
    PLAIN = "plain"


class Part(StrEnum):
    """What goes into a signature beside fixed text."""

    BODY = "body"
    TIMESTAMP = "timestamp"
    ID = "id"
    METHOD = "method"
    URL = "url"
    FORM = "form"


class TimeForm(StrEnum):
    SECONDS = "seconds"
    MILLISECONDS = "milliseconds"
    RFC3339 = "rfc3339"


class Scheme(msgspec.Struct, frozen=True, kw_only=True):
    """How one provider signs. ``signed`` is the order of parts and fixed texts; ``several``: the header may
    hold more than one signature, separated by spaces, and one that is right will do."""

    header: str
    prefix: str = ""
    hash: str = "sha256"
    encoding: Encoding = Encoding.HEX
    signed: tuple[Part | bytes, ...] = (Part.BODY,)
    several: bool = False
    id_header: str | None = None
    timestamp_header: str | None = None
    timestamp_form: TimeForm = TimeForm.SECONDS
    tolerance_s: int = 300


STANDARD: Final = Scheme(
    header="webhook-signature",
    prefix="v1,",
    encoding=Encoding.BASE64,
    signed=(Part.ID, b".", Part.TIMESTAMP, b".", Part.BODY),
    several=True,
    id_header="webhook-id",
    timestamp_header="webhook-timestamp",
)
SLACK: Final = Scheme(
    header="X-Slack-Signature",
    prefix="v0=",
    signed=(b"v0:", Part.TIMESTAMP, b":", Part.BODY),
    timestamp_header="X-Slack-Request-Timestamp",
)
META: Final = Scheme(header="X-Hub-Signature-256", prefix="sha256=")
X: Final = Scheme(header="x-twitter-webhooks-signature", prefix="sha256=", encoding=Encoding.BASE64)
TELEGRAM: Final = Scheme(header="X-Telegram-Bot-Api-Secret-Token", encoding=Encoding.PLAIN)
LINE: Final = Scheme(header="x-line-signature", encoding=Encoding.BASE64)
TWILIO: Final = Scheme(header="X-Twilio-Signature", hash="sha1", encoding=Encoding.BASE64, signed=(Part.URL, Part.FORM))
ZENDESK: Final = Scheme(
    header="X-Zendesk-Webhook-Signature",
    encoding=Encoding.BASE64,
    signed=(Part.TIMESTAMP, Part.BODY),
    timestamp_header="X-Zendesk-Webhook-Signature-Timestamp",
    timestamp_form=TimeForm.RFC3339,
)
INTERCOM: Final = Scheme(header="X-Hub-Signature", prefix="sha1=", hash="sha1")
HUBSPOT: Final = Scheme(
    header="X-HubSpot-Signature-v3",
    encoding=Encoding.BASE64,
    signed=(Part.METHOD, Part.URL, Part.BODY, Part.TIMESTAMP),
    timestamp_header="X-HubSpot-Request-Timestamp",
    timestamp_form=TimeForm.MILLISECONDS,
)
HELP_SCOUT: Final = Scheme(header="X-HelpScout-Signature", hash="sha1", encoding=Encoding.BASE64)
JIRA: Final = Scheme(header="X-Hub-Signature", prefix="sha256=")
TEAMS_OUTGOING: Final = Scheme(header="Authorization", prefix="HMAC ", encoding=Encoding.BASE64)


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """A request as it came. ``headers`` keep doubles; ``url`` is the full public one, where it is signed."""

    headers: tuple[tuple[str, str], ...]
    body: bytes
    method: str = "POST"
    url: str = ""


class _Refused(Exception):
    """The way out of a check; never leaves this module."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal)
        self.refusal = refusal


def verify(scheme: Scheme, secrets: Sequence[bytes], received: Received, *, now_ms: int) -> Refusal | None:
    """None if one of the secrets signed this request in time; else why not. Several secrets are for the time
    in which one replaces the other."""
    try:
        given = _header(received, scheme.header)
        parts = _parts(scheme, received, now_ms)
        signatures = tuple(_signatures(scheme, given))
    except _Refused as exc:
        return exc.refusal
    if not signatures:
        return Refusal.MALFORMED
    expected = [_expected(scheme, secret, parts) for secret in secrets]
    # Every pair is compared, so the time tells nothing of which was close.
    matches = [hmac.compare_digest(right, signature) for right in expected for signature in signatures]
    return None if any(matches) else Refusal.WRONG


def sign(scheme: Scheme, secrets: Sequence[bytes], parts: Mapping[Part, bytes]) -> str:
    """The header's value for what is sent; one signature a secret where the scheme allows several."""
    signing = secrets if scheme.several else secrets[:1]
    return " ".join(scheme.prefix + _written(scheme, _expected(scheme, secret, parts)) for secret in signing)


def standard_secret(text: str) -> bytes:
    """The key of a Standard Webhooks secret (``whsec_`` and base64). Raises ``ValueError``, without the
    secret in its text, for anything else or fewer than 24 bytes."""
    try:
        key = base64.b64decode(text.removeprefix("whsec_").encode("ascii"), validate=True)
    except ValueError:
        key = b""
    if not 24 <= len(key) <= 64:
        raise ValueError("a secret is whsec_ and 24 to 64 bytes in base64")
    return key


def standard_headers(secrets: Sequence[bytes], *, id_: str, now_ms: int, body: bytes) -> dict[str, str]:
    """The three headers of an outgoing Standard Webhook."""
    timestamp = str(now_ms // 1000)
    parts = {Part.ID: id_.encode(), Part.TIMESTAMP: timestamp.encode(), Part.BODY: body}
    return {
        "webhook-id": id_,
        "webhook-timestamp": timestamp,
        "webhook-signature": sign(STANDARD, secrets, parts),
    }


def _header(received: Received, name: str) -> bytes:
    found = [value for key, value in received.headers if key.lower() == name.lower()]
    if not found:
        raise _Refused(Refusal.MISSING)
    if len(found) > 1:
        # Which of them would a proxy have looked at?
        raise _Refused(Refusal.DOUBLED)
    try:
        return found[0].encode("ascii")
    except UnicodeEncodeError:
        raise _Refused(Refusal.MALFORMED) from None


def _parts(scheme: Scheme, received: Received, now_ms: int) -> dict[Part, bytes]:
    parts = {Part.BODY: received.body, Part.METHOD: received.method.encode(), Part.URL: received.url.encode()}
    if scheme.id_header is not None:
        parts[Part.ID] = _header(received, scheme.id_header)
    if scheme.timestamp_header is not None:
        parts[Part.TIMESTAMP] = stamp = _header(received, scheme.timestamp_header)
        if abs(_instant_ms(stamp.decode(), scheme.timestamp_form) - now_ms) > scheme.tolerance_s * 1000:
            raise _Refused(Refusal.OUT_OF_TIME)
    if Part.FORM in scheme.signed:
        parts[Part.FORM] = _form(received.body)
    return parts


def _instant_ms(text: str, form: TimeForm) -> int:
    if form is TimeForm.RFC3339:
        try:
            return from_rfc3339(text)
        except ContractError:
            raise _Refused(Refusal.MALFORMED) from None
    # Digits only: int() and float() take signs, blanks, underscores and NaN as well.
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise _Refused(Refusal.MALFORMED)
    return int(text) * (1000 if form is TimeForm.SECONDS else 1)


def _form(body: bytes) -> bytes:
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=bool(body), max_num_fields=1000)
    except ValueError:
        raise _Refused(Refusal.MALFORMED) from None
    return "".join(name + value for name, value in sorted(set(pairs))).encode()


def _signatures(scheme: Scheme, given: bytes) -> Iterator[bytes]:
    prefix = scheme.prefix.encode()
    found = given.split() if scheme.several else [given]
    for text in found[:10]:
        if not text.startswith(prefix):
            if scheme.several:
                continue  # of a version that we don't know
            raise _Refused(Refusal.MALFORMED)
        yield _read(scheme, text[len(prefix) :])


def _read(scheme: Scheme, text: bytes) -> bytes:
    if scheme.encoding is Encoding.PLAIN:
        return text
    try:
        if scheme.encoding is Encoding.HEX:
            return binascii.unhexlify(text)
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise _Refused(Refusal.MALFORMED) from None


def _expected(scheme: Scheme, secret: bytes, parts: Mapping[Part, bytes]) -> bytes:
    if scheme.encoding is Encoding.PLAIN:
        return secret
    content = b"".join(part if isinstance(part, bytes) else parts[part] for part in scheme.signed)
    return hmac.digest(secret, content, getattr(hashlib, scheme.hash))


def _written(scheme: Scheme, signature: bytes) -> str:
    match scheme.encoding:
        case Encoding.HEX:
            return signature.hex()
        case Encoding.BASE64:
            return base64.b64encode(signature).decode()
        case Encoding.PLAIN:
            return signature.decode()
