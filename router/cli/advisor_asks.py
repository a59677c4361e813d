"""From a command to the frame that asks for it. Pure: the operation id comes in."""

from typing import Any, Final

import msgspec

from router.api.acts import asking
from router.api.acts.asking import CaseAsk, Frame
from router.cli.advisor_commands import Command
from router.contract.ids import CaseId

_KINDS: Final[dict[str, type[CaseAsk | asking.Read]]] = {
    "accept": asking.Accept,
    "decline": asking.Decline,
    "read": asking.Read,
    "reply": asking.Reply,
    "note": asking.Note,
    "label": asking.Label,
    "pend": asking.Pend,
    "follow_up": asking.FollowUp,
    "resolve": asking.Resolve,
    "transfer": asking.Transfer,
    "consult": asking.Consult,
    "hand_back": asking.HandBack,
    "wrap_up": asking.WrapUp,
    "park": asking.Park,
    "unpark": asking.Unpark,
    "snooze": asking.Snooze,
    "acknowledge": asking.Acknowledge,
    "escalate": asking.Escalate,
}
_QUEUE_UNKNOWN: Final = "urn:turnout:problem:unknown-queue"
UNSEEN: Final = "urn:turnout:problem:unseen"


def frame_of(command: Command, *, op: str, case: str, offer_ver: int = 0, seen: str = "") -> Frame:
    """What to send for it; ``seen`` is the customer's last message that was shown. Whether the service takes it is
    the service's to say."""
    members: dict[str, Any] = dict(command.members)
    if command.kind == "presence":
        return asking.SetPresence(op=op, **members)
    if command.kind == "not_me":
        return _without_me(op, CaseId(case), str(members["reason"]), offer_ver)
    if "either" in members:
        members["queue"] = members.pop("either")
    if command.kind in ("accept", "decline"):
        members["offer_ver"] = offer_ver
    if command.kind == "resolve" and seen:
        members["seen"] = seen
    return _KINDS[command.kind](op=op, case=CaseId(case), **members)


def _without_me(op: str, case: CaseId, reason: str, offer_ver: int) -> CaseAsk:
    """To give an offer back, or a case on, for good; what he says of it is for whoever has it next, too."""
    if offer_ver:
        return asking.Decline(op=op, case=case, offer_ver=offer_ver, reason=reason, someone_else=True)
    return asking.Transfer(op=op, case=case, reason=reason, note=reason, someone_else=True)


def second_try(command: Command, problem: str) -> Command | None:
    """A transfer to a name that is no queue: to the advisor of that name. None when there is nothing to try."""
    name = command.members.get("either")
    if command.kind != "transfer" or name is None or problem != _QUEUE_UNKNOWN:
        return None
    members = {key: value for key, value in command.members.items() if key != "either"}
    return command._replace(members={**members, "to": name})


def written(frame: Frame) -> str:
    """The frame as it travels. A time without whole seconds keeps its zone."""
    return msgspec.json.encode(frame).decode()
