"""Mail that no person wrote: answers of machines, lists, loops and bounces (RFC 3834, RFC 3464). Pure."""

import re
from collections.abc import Callable
from enum import StrEnum
from typing import Final, NamedTuple

from channels.email.mime import Headers, Part
from channels.email.threads import MailTokens, SentReply

LOOP_HEADER: Final = "X-Loop"
REPLY_HEADER: Final = "X-Turnout-Reply"
_NULL: Final = frozenset({"", "<>"})
_BULK: Final = frozenset({"bulk", "junk", "auto_reply"})
_OLD_VACATION: Final = frozenset({"x-autoreply", "x-autorespond", "x-autoresponse", "x-auto-reply-from"})
_MACHINES: Final = frozenset({"mailer-daemon", "mail-daemon"})
_SEALED: Final = re.compile(rb"^[ \t>]*X-Turnout-Reply:\s*([\w.-]{20,1000})", re.IGNORECASE | re.MULTILINE)
_STATUS: Final = re.compile(r"^(action|status)[ \t]*:[ \t]*([\w.-]{1,20})", re.IGNORECASE | re.MULTILINE)
_MAX_REPORT: Final = 65_536


class Origin(StrEnum):
    """Why a mail counts as automatic; also the label of its inquiry."""

    AUTO_SUBMITTED = "auto-submitted"
    BOUNCE = "bounce"
    BULK = "bulk"
    LIST = "mailing-list"
    LOOP = "loop"


class Bounce(NamedTuple):
    """A mail of ours came back for good. ``status`` is the enhanced code, if the report has one."""

    sent: SentReply
    status: str


def origin_of(headers: Headers, *, sender: str, author: str, is_own: Callable[[str], bool]) -> Origin | None:
    """What kind of automatic mail this is; None if a person may have written it.

    ``sender`` is the envelope's, ``author`` whom an answer would go to, ``is_own`` knows our own addresses.
    """
    if headers.first("content-type").lower().startswith("multipart/report"):
        return Origin.BOUNCE
    if is_own(author) or any(is_own(value.strip()) for value in headers.all(LOOP_HEADER.lower())):
        return Origin.LOOP
    submitted = headers.first("auto-submitted").partition(";")[0].strip().lower()
    if submitted not in ("", "no") or headers.names() & _OLD_VACATION:
        return Origin.AUTO_SUBMITTED
    if sender.strip() in _NULL or author.partition("@")[0].lower() in _MACHINES:
        return Origin.BOUNCE
    precedence = headers.first("precedence").strip().lower()
    if precedence in _BULK:
        return Origin.BULK
    if precedence == "list" or any(name.startswith("list-") for name in headers.names()):
        return Origin.LIST
    return None


def bounce_of(root: Part, tokens: MailTokens) -> Bounce | None:
    """The reply of ours that this report says was never delivered; None if it says anything else (delayed,
    read, delivered) or is about no mail of ours."""
    statuses: dict[str, str] = {}
    sealed: SentReply | None = None
    for leaf in root.leaves():
        if leaf.media_type.endswith("delivery-status"):
            text = leaf.content()[:_MAX_REPORT].decode("latin-1")
            statuses |= {found[1].lower(): found[2].lower() for found in _STATUS.finditer(text)}
        elif leaf.media_type.startswith(("message/", "text/")):
            sealed = sealed or _sealed(leaf, tokens)
    action = statuses.get("action") or ("" if root.media_type == "multipart/report" else "failed")
    if sealed is None or action != "failed":
        return None
    return Bounce(sealed, statuses.get("status", ""))


def _sealed(leaf: Part, tokens: MailTokens) -> SentReply | None:
    found = _SEALED.search(leaf.content()[:_MAX_REPORT])
    return None if found is None else tokens.unseal(found[1].decode("ascii", "replace"))
