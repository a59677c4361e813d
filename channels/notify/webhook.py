"""The notifier ``webhook``: each notice as a signed POST (Standard Webhooks), for whatever a site runs itself.

The body is one JSON object, ids only, nothing that a customer wrote and nobody's address:

=========  ==========================================================================================
field      value
=========  ==========================================================================================
type       ``notice``
id         the notice's id, equal to the header ``webhook-id``; a repeat has the same, so drop it
kind       what happened: ``warning``, ``breach``, ``step``, ``delivery-failed``, ``missed-offers``;
           more may come
summary    the same in one English line, for people
target     the target's name in the settings
pool       the case's pool
case       the case's id
queue      the case's queue; empty if it has none
priority   the case's priority after the step, 1 is the highest
step       the number of the ladder's step, 0 if it was none
clock      the SLA clock that it is about; empty if none
at         when it happened (RFC 3339, UTC)
due_at     when the clock is due, or null
staff      ids of the advisors it is for; empty: whoever reads the target
=========  ==========================================================================================

The receiver checks ``webhook-signature`` over ``id.timestamp.body`` and refuses a timestamp that is more than
five minutes off. Any 2xx is a yes; its body isn't read.
"""

import asyncio
import io
from collections.abc import Mapping, Sequence
from typing import Annotated, Final

import aiohttp
import msgspec
from msgspec import Meta

from channels.kit.outbound import AddressRefused, checked_url, destination
from channels.kit.signatures import standard_headers, standard_secret
from channels.notify.wording import summary
from router.contract.codec import rfc3339
from router.contract.messages import Notice
from router.runtime.errors import SendLater
from router.runtime.plugins import Host, Notifier, OpenNotifier, SendResult, Target, failed, sent
from router.runtime.secret import Secret

NAME: Final = "webhook"

# Of the 4xx those that say "not now"; the rest say "never".
_PASSING: Final = frozenset({408, 425, 429})
_LONGEST_WISH_S: Final = 3600
_ENCODER: Final = msgspec.json.Encoder()


class WebhookTargetOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``url``: where notices are posted. ``secrets`` (``whsec_`` and base64) sign them; two while one replaces
    the other. ``allow_private``: ``url`` may be http and lead to an address of the own network; off, since
    whoever can change an address in the settings could else reach what only this machine reaches."""

    url: str
    secrets: Annotated[tuple[Secret, ...], Meta(min_length=1, max_length=4)]
    allow_private: bool = False
    timeout_s: Annotated[float, Meta(gt=0, le=14)] = 10.0

    def __post_init__(self) -> None:
        checked_url(self.url, allow_private=self.allow_private)
        self.keys()

    def keys(self) -> tuple[bytes, ...]:
        """What the secrets stand for."""
        return tuple(standard_secret(secret.reveal()) for secret in self.secrets)


class WebhookNotifier:
    """The notifier, before it works for any target."""

    name = NAME

    def options_type(self) -> type[WebhookTargetOptions]:
        return WebhookTargetOptions

    async def open(self, targets: Sequence[Target[WebhookTargetOptions]], host: Host) -> OpenNotifier:
        return OpenWebhookNotifier({target.id: target.options for target in targets}, host)


class OpenWebhookNotifier:
    """The notifier at work. It holds nothing between two notices."""

    def __init__(self, targets: Mapping[str, WebhookTargetOptions], host: Host) -> None:
        self._targets = targets
        self._host = host

    async def send(self, notice: Notice) -> SendResult:
        """2xx is sent; 4xx is failed, but for 408, 425 and 429; all else raises ``SendLater``, redirects too:
        what is signed for one place goes to no other."""
        options = self._targets.get(notice.target)
        if options is None:
            return failed("there is no such target")
        try:
            return await self._post(notice, options)
        except AddressRefused:
            return failed("the target's url leads to an address that is not public; see allow_private")
        except (aiohttp.ClientError, TimeoutError, OSError):
            raise SendLater("the target did not answer") from None

    async def _post(self, notice: Notice, options: WebhookTargetOptions) -> SendResult:
        body = document(notice)
        signed = standard_headers(options.keys(), id_=notice.id, now_ms=self._host.clock.now_ms(), body=body)
        async with asyncio.timeout(options.timeout_s):
            place = await destination(options.url, allow_private=options.allow_private)
            async with self._host.http.post(
                place.url,
                data=io.BytesIO(body),
                headers={**signed, **place.headers, "Content-Type": "application/json"},
                server_hostname=place.server_hostname,
                allow_redirects=False,
            ) as response:
                return _result(response.status, response.headers.get("Retry-After"))

    async def close(self, within_s: float) -> None:
        """Nothing is held."""


def document(notice: Notice) -> bytes:
    """The body, the same bytes whenever the notice is sent again."""
    return _ENCODER.encode(
        {
            "type": "notice",
            "id": notice.id,
            "kind": notice.kind,
            "summary": summary(notice),
            "target": notice.target,
            "pool": notice.pool,
            "case": notice.case,
            "queue": notice.queue,
            "priority": notice.priority,
            "step": notice.step,
            "clock": notice.clock,
            "at": rfc3339(notice.at_ms),
            "due_at": None if notice.due_at_ms is None else rfc3339(notice.due_at_ms),
            "staff": notice.staff,
        }
    )


def _result(status: int, retry_after: str | None) -> SendResult:
    if 200 <= status < 300:
        return sent()
    if 400 <= status < 500 and status not in _PASSING:
        return failed(f"the target answered {status}")
    raise SendLater(f"the target answered {status}", _seconds(retry_after))


def _seconds(text: str | None) -> float | None:
    if text is None or not (text.isascii() and text.isdigit()):
        return None
    return float(min(int(text[:9]), _LONGEST_WISH_S))


def notifier() -> Notifier[WebhookTargetOptions]:
    """The entry point's factory."""
    return WebhookNotifier()
