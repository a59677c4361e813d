"""What can be asked for: one struct an act, the same over WebSocket and REST.

A frame of the WebSocket is such an object as it is. A REST request has ``case`` in its path, ``op`` in the
header ``Idempotency-Key`` and ``type`` in its path, and the other members in its body.
"""

from datetime import datetime
from typing import Annotated, Final, Literal, TypeVar

import msgspec
from msgspec import Meta

from router.api.problems import Refused, problem
from router.contract.advisor import Presence
from router.contract.ids import AdvisorId, CaseId, InquiryId
from router.contract.messages import MAX_TEXT_CHARS

T = TypeVar("T")

MESSAGES_SHOWN: Final = 100
MOST_MESSAGES: Final = 500
MOST_MORE_S: Final = 3_600

OPERATION: Final = r"^[A-Za-z0-9._:~+=-]{1,128}$"
"""What an operation id is made of: it travels in addresses. No two acts of a key may have the same one, in whatever
session: the second would be taken for a repeat of the first."""

Operation = Annotated[str, Meta(pattern=OPERATION)]
Reason = Annotated[str, Meta(max_length=500)]
ChannelName = Annotated[str, Meta(pattern=r"^[^,\s]{1,64}$")]
_MOST_CHANNELS: Final = 32
Text = Annotated[str, Meta(min_length=1, max_length=MAX_TEXT_CHARS)]
LabelName = Annotated[str, Meta(min_length=1, max_length=64)]
Advisors = Annotated[tuple[AdvisorId, ...], Meta(max_length=16)]
Instant = Annotated[datetime, Meta(tz=True)]


class _Ask(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type"):
    op: Operation


class _OnCase(_Ask, frozen=True, kw_only=True):
    case: CaseId


class SetPresence(_Ask, frozen=True, kw_only=True, tag="presence"):
    """Come, go, or be away for a reason. ``away_from`` are all the channels that he takes nothing of while he is
    online, as ``call``; without it they are as before. Who goes offline comes back for all."""

    presence: Presence
    reason: Reason = ""
    away_from: Annotated[tuple[ChannelName, ...], Meta(max_length=_MOST_CHANNELS)] | None = None


class Read(_OnCase, frozen=True, kw_only=True, tag="read"):
    """The case with the ``last`` messages of its conversation."""

    last: Annotated[int, Meta(ge=1, le=MOST_MESSAGES)] = MESSAGES_SHOWN


class Accept(_OnCase, frozen=True, kw_only=True, tag="accept"):
    """Take an offer. ``offer_ver`` names it; 0 is the one he has now."""

    offer_ver: int = 0


class Decline(_OnCase, frozen=True, kw_only=True, tag="decline"):
    """Give an offer back; with ``someone_else`` for good, as by whoever knows the customer."""

    offer_ver: int = 0
    reason: Reason = ""
    someone_else: bool = False


class Reply(_OnCase, frozen=True, kw_only=True, tag="reply"):
    """Answer the customer, through the channel of his last message."""

    text: Text


class Note(_OnCase, frozen=True, kw_only=True, tag="note"):
    """Add an internal note, never shown to the customer."""

    text: Text


class Label(_OnCase, frozen=True, kw_only=True, tag="label"):
    """Put labels on and take labels off."""

    add: Annotated[tuple[LabelName, ...], Meta(max_length=50)] = ()
    remove: Annotated[tuple[LabelName, ...], Meta(max_length=50)] = ()


class Pend(_OnCase, frozen=True, kw_only=True, tag="pend"):
    """Wait for somebody else; with ``until``, the case comes back by itself."""

    on: Literal["customer", "third-party", "internal"]
    reason: Reason = ""
    until: Instant | None = None


class FollowUp(_OnCase, frozen=True, kw_only=True, tag="follow_up"):
    """Promise to come back to it at a time."""

    at: Instant
    on: Literal["customer", "third-party", "internal"] = "internal"
    reason: Reason = ""


class Resolve(_OnCase, frozen=True, kw_only=True, tag="resolve"):
    """End the work, with one of the rulebook's outcomes. ``seen`` is the customer's last message that was read
    (``last_inquiry`` of the case, ``inquiry`` of a push): if he has written again since, nothing is done and the
    problem ``unseen`` names what he wrote. Without it the case is resolved whatever came."""

    outcome: str
    reason: Reason = ""
    seen: InquiryId | None = None


class Transfer(_OnCase, frozen=True, kw_only=True, tag="transfer"):
    """Hand on to a queue, to a tier of its own queue or of that one, or to one advisor who can take it now; with an
    internal ``note`` for whoever gets it. It never comes back to who has it, with ``someone_else``, nor to those of
    ``exclude``; with one of these it may stay in its queue."""

    queue: str = ""
    to: AdvisorId | None = None
    tier: str = ""
    reason: Reason = ""
    note: Annotated[str, Meta(max_length=MAX_TEXT_CHARS)] = ""
    exclude: Advisors = ()
    someone_else: bool = False


class Consult(_OnCase, frozen=True, kw_only=True, tag="consult"):
    """Ask for advice on the case, which stays with who has it: of an advisor by name (``to``), or of the best of a
    queue, a tier or of those who have ``skills`` at these levels, or of all these together. He is rung and may decline;
    then the next is, unless he was named. ``note`` is for him to read: the question."""

    to: AdvisorId | None = None
    queue: str = ""
    tier: str = ""
    skills: Annotated[dict[str, Annotated[int, Meta(ge=1, le=10)]], Meta(max_length=8)] = {}
    reason: Reason = ""
    note: Annotated[str, Meta(max_length=MAX_TEXT_CHARS)] = ""


class HandBack(_OnCase, frozen=True, kw_only=True, tag="hand_back"):
    """End what was asked of a consulted advisor: his own part, or that ``of`` another on a case of his, who may still
    be rung for it."""

    of: AdvisorId | None = None
    reason: Reason = ""


class Pick(_OnCase, frozen=True, kw_only=True, tag="pick"):
    """Take a waiting case out of its line, where the queue lets advisors of his tier do so."""

    reason: Reason = ""


class Assign(_OnCase, frozen=True, kw_only=True, tag="assign"):
    """Give the case to an advisor, whoever has it; with ``over`` even above his capacity (supervisors)."""

    to: AdvisorId
    over: bool = False
    reason: Reason = ""


class Requeue(_OnCase, frozen=True, kw_only=True, tag="requeue"):
    """Put the case back into its queue (supervisors); not for who has it, with ``someone_else``, nor for those of
    ``exclude``."""

    reason: Reason = ""
    exclude: Advisors = ()
    someone_else: bool = False


class Exclude(_OnCase, frozen=True, kw_only=True, tag="exclude"):
    """Keep an open case from these advisors, and with ``someone_else`` from who has it, or had it last; no longer from
    those to ``lift`` (supervisors). It goes back to its queue if one of them has it or is offered it."""

    exclude: Advisors = ()
    someone_else: bool = False
    lift: Advisors = ()
    reason: Reason = ""


class WrapUp(_OnCase, frozen=True, kw_only=True, tag="wrap_up"):
    """End the wrap-up of a case that he has resolved, or go on with it for ``more_s`` from now, if its channel lets
    him."""

    more_s: Annotated[int, Meta(ge=0, le=MOST_MORE_S)] = 0


class Park(_OnCase, frozen=True, kw_only=True, tag="park"):
    """Set a case aside for ``for_s`` at most: it stays with who has it and takes none of his capacity. An advisor may
    do so with cases of a channel that the rulebook calls interruptible. Afterwards it comes back by itself when there
    is room."""

    for_s: Annotated[int, Meta(ge=60, le=86_400)] = 3_600
    reason: Reason = ""


class Unpark(_OnCase, frozen=True, kw_only=True, tag="unpark"):
    """Take a case up again that is parked, or that waits for somebody else. Above the advisor's capacity only where its
    channel says so (``over_when_back``), or a supervisor does (``over``)."""

    over: bool = False
    reason: Reason = ""


class Take(_OnCase, frozen=True, kw_only=True, tag="take"):
    """Take a case that waits (a notifier, for the advisor who was told of it; a supervisor, for himself)."""


class Snooze(_OnCase, frozen=True, kw_only=True, tag="snooze"):
    """Put the next steps of the case's ladder off."""

    for_s: Annotated[int, Meta(ge=60, le=86_400)] = 900


class Acknowledge(_OnCase, frozen=True, kw_only=True, tag="acknowledge"):
    """Say that somebody looks after the case: further steps stop, if its ladder says so."""


class Escalate(_OnCase, frozen=True, kw_only=True, tag="escalate"):
    """Take the next step of the case's ladder by hand: it is over one's head. ``note`` is for whoever has it next; some
    steps need one."""

    reason: Annotated[str, Meta(min_length=1, max_length=500)]
    note: Annotated[str, Meta(max_length=MAX_TEXT_CHARS)] = ""


class Lower(_OnCase, frozen=True, kw_only=True, tag="lower"):
    """Put the case back to a step below, 0 for the foot of its ladder (supervisors)."""

    step: Annotated[int, Meta(ge=0)]
    reason: Annotated[str, Meta(min_length=1, max_length=500)]


CaseAsk = (
    Accept
    | Decline
    | Reply
    | Note
    | Label
    | Pend
    | FollowUp
    | Resolve
    | Transfer
    | Consult
    | HandBack
    | Pick
    | Assign
    | Requeue
    | Exclude
    | WrapUp
    | Park
    | Unpark
    | Take
    | Snooze
    | Acknowledge
    | Escalate
    | Lower
)
Frame = SetPresence | Read | CaseAsk

FRAME_TYPES: Final = frozenset(str(kind.__struct_config__.tag) for kind in Frame.__args__)

_FRAME: Final[msgspec.json.Decoder[Frame]] = msgspec.json.Decoder(Frame)
_ASK: Final[msgspec.json.Decoder[CaseAsk]] = msgspec.json.Decoder(CaseAsk)
_MEMBERS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_FROM_ELSEWHERE: Final = ("type", "case", "op")


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """As much of a frame as can be read when the whole can't."""

    op: str = ""
    type: str = ""


_HEAD: Final = msgspec.json.Decoder(Head)


def read_frame(text: str) -> Frame:
    """Raises ``Refused`` with what is wrong, and where."""
    return _decoded(_FRAME, text)


def read_head(text: str) -> Head:
    """What of a damaged frame can be told; empty when nothing."""
    try:
        return _HEAD.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return Head()


def read_body(act: str, body: bytes, *, case: str, op: str) -> CaseAsk:
    """The act that a REST request asks for. Raises ``Refused``."""
    members = _decoded(_MEMBERS, body or b"{}")
    if foreign := [name for name in _FROM_ELSEWHERE if name in members]:
        raise Refused(problem("malformed", f"the body must not name {', '.join(foreign)}"))
    told = {"type": act, "case": case, "op": op}
    whole = members | {name: msgspec.Raw(msgspec.json.encode(value)) for name, value in told.items()}
    return _decoded(_ASK, msgspec.json.encode(whole))


def _decoded(decoder: msgspec.json.Decoder[T], text: str | bytes) -> T:
    try:
        return decoder.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as exc:
        raise Refused(problem("malformed", str(exc), errors=(str(exc),))) from exc
