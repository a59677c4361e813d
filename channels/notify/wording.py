"""A notice in words, the same for every means. Pure: the same notice always reads the same."""

from typing import Final

from router.contract.codec import rfc3339
from router.contract.messages import Notice

_CLOCKS: Final = {
    "first_response": "first response",
    "next_response": "next response",
    "resolution": "resolution",
    "assignment": "time to assignment",
}


def summary(notice: Notice) -> str:
    """One English line: what happened, to which case, what is due when. Nothing of the customer's."""
    return f"{_happening(notice)}: {_case(notice)}{_due(notice)}."


def _happening(notice: Notice) -> str:
    clock = _CLOCKS.get(notice.clock, notice.clock.replace("_", " "))
    match notice.kind:
        case "warning":
            return f"SLA warning ({clock})" if clock else "SLA warning"
        case "breach":
            return f"SLA breach ({clock})" if clock else "SLA breach"
        case "step":
            return f"Escalation step {notice.step} ({clock})" if clock else f"Escalation step {notice.step}"
        case "delivery-failed":
            return "A reply could not be delivered"
        case "missed-offers":
            return "Offers were missed"
        case other:
            return f"Notice ({other})"


def _case(notice: Notice) -> str:
    queue = f" in queue {notice.queue}" if notice.queue else ""
    return f"case {notice.case}{queue}, priority {notice.priority}"


def _due(notice: Notice) -> str:
    return "" if notice.due_at_ms is None else f", due {rfc3339(notice.due_at_ms)}"
