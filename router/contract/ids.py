"""Identifiers: their types, and the pure functions that make those which must be the same on a repeat."""

import hashlib
import uuid
from collections.abc import Iterable
from typing import Final, NewType

PoolId = NewType("PoolId", str)
AccountId = NewType("AccountId", str)
InquiryId = NewType("InquiryId", str)
ConversationId = NewType("ConversationId", str)
CaseId = NewType("CaseId", str)
AdvisorId = NewType("AdvisorId", str)
OfferId = NewType("OfferId", str)
ReplyId = NewType("ReplyId", str)
OperationId = NewType("OperationId", str)
EventId = NewType("EventId", str)
NoticeId = NewType("NoticeId", str)

_NAMESPACE: Final = uuid.UUID("6f0d0e6e-6b1c-5a86-9a53-2d7f0c6f4a11")


def _named(kind: str, *parts: str) -> str:
    # A length before each part: ("ab", "c") and ("a", "bc") must not meet.
    name = kind + "".join(f"|{len(part)}:{part}" for part in parts)
    # A UUIDv5 (RFC 9562, section 5.5), put together by hand: the library takes ten times as long.
    octets = bytearray(hashlib.sha1(_NAMESPACE.bytes + name.encode(), usedforsecurity=False).digest()[:16])
    octets[6] = octets[6] & 0x0F | 0x50
    octets[8] = octets[8] & 0x3F | 0x80
    text = octets.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def inquiry_id(account: AccountId, provider_message_id: str) -> InquiryId:
    """The id of the message a provider names so; the same on every redelivery."""
    return InquiryId(_named("inquiry", account, provider_message_id))


def mail_inquiry_id(message_id: str, recipient: str, body_hash: str) -> InquiryId:
    """The id of one mail to one mailbox. Senders re-use Message-IDs, so the body counts too."""
    return InquiryId(_named("mail", message_id, recipient.lower(), body_hash))


def conversation_id(account: AccountId, thread: str) -> ConversationId:
    """The id of a thread as its account's provider names it."""
    return ConversationId(_named("conversation", account, thread))


def case_id(origin: InquiryId | OperationId) -> CaseId:
    """A case is named after what opened it: an inquiry, a handover or a person's act."""
    return CaseId(origin)


def event_id(case: CaseId, gen: int, ver: int) -> EventId:
    return EventId(f"{case}:{gen}.{ver}")


def advisor_record_id(advisor: AdvisorId, gen: int, ver: int) -> str:
    """The id of what one act made of an advisor."""
    return f"advisor/{advisor}:{gen}.{ver}"


def offer_id(case: CaseId, gen: int, ver: int, advisor: AdvisorId) -> OfferId:
    return OfferId(f"{case}:{gen}.{ver}/{advisor}")


def reply_id(case: CaseId, operation: OperationId) -> ReplyId:
    """The id of the reply that one act on one case asks for; the same when the act is repeated."""
    return ReplyId(_named("reply", case, operation))


def notice_id(case: CaseId, step: str, target: str) -> NoticeId:
    """The id of the one notice that a step of a case sends to a target."""
    return NoticeId(_named("notice", case, step, target))


def bulletin_id(notices: Iterable[NoticeId]) -> NoticeId:
    """The id of one message that tells of these notices, in whatever order: of a single one, its own."""
    ids = sorted(notices)
    return NoticeId(ids[0] if len(ids) == 1 else _named("bulletin", *ids))


def message_id(reply: ReplyId, domain: str) -> str:
    """The Message-ID of a reply sent as mail: equal on a resend, so the receiver can drop the second."""
    return f"<{reply}@{domain}>"
