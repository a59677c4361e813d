"""The one automatic acknowledgement of a conversation, where its queue wants it."""

from typing import Final

from router.contract.ids import OperationId, case_id, reply_id
from router.contract.messages import Inquiry, Reply
from rules import Verdict

ACKNOWLEDGE: Final = OperationId("acknowledge")
_TEXTS: Final = {
    "en": "We have received your message and will answer as soon as we can. You need not write again.",
    "ko": "문의를 잘 받았습니다. 가능한 한 빨리 답변드리겠습니다. 다시 보내지 않으셔도 됩니다.",
}


def acknowledgement(inquiry: Inquiry, verdict: Verdict, *, now_ms: int) -> Reply:
    """The reply that says the inquiry has come; in the verdict's language if we have it, else in English."""
    case = case_id(inquiry.id)
    return Reply(
        id=reply_id(case, ACKNOWLEDGE),
        pool=inquiry.pool,
        case=case,
        conversation=inquiry.conversation,
        to=inquiry.reply_to,
        text=_TEXTS.get(verdict.language or "en", _TEXTS["en"]),
        created_at_ms=now_ms,
        subject=inquiry.subject,
        thread=inquiry.thread,
        automatic=True,
    )
