"""The notifier ``webhook``: each notice as a signed POST (Standard Webhooks), for whatever a site runs itself.

The body is one JSON object, ids only, nothing that a customer wrote and nobody's address:

=========  ==========================================================================================
field      value
=========  ==========================================================================================
type       ``notice``
id         the notice's id, equal to the header ``webhook-id``; a repeat has the same, so drop it
kind       what happened: ``step`` of a ladder, ``chaser`` of a third party, ``missed-offers``; more may
           come
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
about      id of the advisor it tells of, or who took the step by hand, or null
trigger    what the step came for: ``share``, ``after`` (its clock), ``missed`` (offers), ``message`` (of the
           customer), ``by-hand``; empty if it was none; more may come
owner      id of the advisor who has the case since; empty: nobody; null where it isn't said
top        true if the step was to move the case up a tier and none is left above
=========  ==========================================================================================

Several that came close together are one POST: ``{"type": "notices", "id": ..., "target": ..., "staff": [...],
"notices": [...]}``, each of them as above. After a crash in the middle of it, a notice may come again in another one,
or alone: drop repeats by the notice's own ``id``.

The receiver checks ``webhook-signature`` over ``id.timestamp.body`` and refuses a timestamp that is more than
five minutes off. Any 2xx is a yes; its body isn't read.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from channels.kit.outbound import checked_url
from channels.kit.posting import Letterbox, post
from channels.kit.signatures import standard_headers, standard_secret
from channels.notify.wording import summary
from router.contract.codec import rfc3339
from router.contract.messages import Notice
from router.runtime.notifiers import Bulletin, Notifier, NotifierHost, OpenNotifier, Target
from router.runtime.plugins import SendResult, failed
from router.runtime.secret import Secret

NAME: Final = "webhook"

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

    async def open(self, targets: Sequence[Target[WebhookTargetOptions]], host: NotifierHost) -> OpenNotifier:
        return OpenWebhookNotifier({target.id: target.options for target in targets}, host)


class OpenWebhookNotifier:
    """The notifier at work. It holds nothing between two notices."""

    def __init__(self, targets: Mapping[str, WebhookTargetOptions], host: NotifierHost) -> None:
        self._targets = targets
        self._host = host

    async def send(self, bulletin: Bulletin) -> SendResult:
        """As ``post``, a repeat with the same ``webhook-id``; a target that isn't there is failed."""
        options = self._targets.get(bulletin.target)
        if options is None:
            return failed("there is no such target")
        body, now_ms = document(bulletin), self._host.clock.now_ms()
        headers = standard_headers(options.keys(), id_=bulletin.id, now_ms=now_ms, body=body)
        box = Letterbox(options.url, options.timeout_s, options.allow_private, "the target", "the target's url")
        return await post(box, body, headers, self._host)

    async def close(self, within_s: float) -> None:
        """Nothing is held."""


def document(told: Bulletin) -> bytes:
    """The body, the same bytes whenever the same is sent again."""
    if len(told.notices) == 1:
        return _ENCODER.encode(_entry(told.first))
    return _ENCODER.encode(
        {
            "type": "notices",
            "id": told.id,
            "target": told.target,
            "staff": told.staff,
            "notices": [_entry(notice) for notice in told.notices],
        }
    )


def _entry(notice: Notice) -> dict[str, object]:
    return {
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
        "about": notice.about,
        "trigger": notice.trigger,
        "owner": notice.owner,
        "top": notice.top,
    }


def notifier() -> Notifier[WebhookTargetOptions]:
    """The entry point's factory."""
    return WebhookNotifier()
