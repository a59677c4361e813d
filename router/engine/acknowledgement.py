"""The one automatic acknowledgement of a conversation, where its queue wants it."""

from typing import Final

from router.contract.ids import OperationId, case_id, reply_id
from router.contract.messages import Inquiry, Reply
from rules import Rulebook, Verdict

ACKNOWLEDGE: Final = OperationId("acknowledge")


def acknowledgement(inquiry: Inquiry, verdict: Verdict, rulebook: Rulebook, *, now_ms: int) -> Reply | None:
    """The reply that says the inquiry has come; None unless verdict and rulebook want one."""
    text = rulebook.acknowledgement(verdict.language) if verdict.acknowledge else None
    if text is None:
        return None
    case = case_id(inquiry.id)
    return Reply(
        id=reply_id(case, ACKNOWLEDGE),
        pool=inquiry.pool,
        case=case,
        conversation=inquiry.conversation,
        to=inquiry.reply_to,
        text=text,
        created_at_ms=now_ms,
        subject=inquiry.subject,
        thread=inquiry.thread,
        automatic=True,
    )
