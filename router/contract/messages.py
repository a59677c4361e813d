"""What travels between channels and router: inquiries in, replies out, deliveries back, notices to staff.

All are JSON objects tagged by ``type``. A reader ignores members it doesn't know; a new member has a
default; a member never changes its type. Times are integer milliseconds since the Unix epoch.
"""

from enum import StrEnum
from typing import Final

import msgspec

from router.contract.ids import (
    AccountId,
    AdvisorId,
    CaseId,
    ConversationId,
    InquiryId,
    NoticeId,
    PoolId,
    ReplyId,
)
from router.contract.values import Integer, null

MAX_INQUIRY_BYTES: Final = 262_144
MAX_TEXT_CHARS: Final = 65_536


class _Wire(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of every message: immutable, keyword-only, without members that hold their default."""


class Address(_Wire, frozen=True, kw_only=True, omit_defaults=True):
    """Where an answer goes: through which account, to whom. ``address`` is the provider's own form
    (a mail address, a chat session, a page-scoped user id)."""

    account: AccountId
    address: str


class Attachment(_Wire, frozen=True, kw_only=True, omit_defaults=True):
    """A file kept in the object store under ``blob``; its bytes never travel on the bus."""

    name: str
    media_type: str
    size_bytes: Integer
    sha256: str
    blob: str


class Customer(_Wire, frozen=True, kw_only=True, omit_defaults=True):
    """Who wrote, as the channel knows him. ``id`` is stable within the account."""

    id: str
    name: str = ""
    locale: str = ""
    segment: str = ""
    tags: tuple[str, ...] = ()


class Inquiry(_Wire, frozen=True, kw_only=True, omit_defaults=True, tag="inquiry", tag_field="type"):
    """One incoming message, normalised.

    ``automatic`` marks what no person wrote (RFC 3834): it opens no case and gets no answer.
    ``thread`` holds what the channel needs to answer in the thread (for mail: Message-ID and References),
    and comes back unchanged on every reply to the conversation.
    """

    id: InquiryId
    pool: PoolId
    account: AccountId
    channel: str
    conversation: ConversationId
    customer: Customer
    reply_to: Address
    received_at_ms: Integer
    text: str = ""
    subject: str = ""
    quoted: str = ""
    language: str | None = None
    labels: tuple[str, ...] = ()
    fields: dict[str, str] = {}
    attachments: tuple[Attachment, ...] = ()
    thread: dict[str, str] = {}
    automatic: bool = False
    sent_at_ms: Integer | None = None


class Handover(_Wire, frozen=True, kw_only=True, omit_defaults=True, tag="handover", tag_field="type"):
    """A case that moved here from another pool: its conversation goes on in this one."""

    id: str
    pool: PoolId
    from_pool: PoolId
    from_case: CaseId
    conversation: ConversationId
    queue: str
    at_ms: Integer
    case: msgspec.Raw = msgspec.field(default_factory=null)


class Reply(_Wire, frozen=True, kw_only=True, omit_defaults=True, tag="reply", tag_field="type"):
    """A message to the customer. ``id`` is the same however often the act behind it is repeated."""

    id: ReplyId
    pool: PoolId
    case: CaseId
    conversation: ConversationId
    to: Address
    text: str
    created_at_ms: Integer
    subject: str = ""
    advisor: AdvisorId | None = None
    attachments: tuple[Attachment, ...] = ()
    thread: dict[str, str] = {}
    automatic: bool = False


class DeliveryState(StrEnum):
    """What became of a reply. ``unknown``: it may or may not have arrived; a person decides."""

    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"


class Delivery(_Wire, frozen=True, kw_only=True, omit_defaults=True, tag="delivery", tag_field="type"):
    """What became of a reply. Published once an outcome is final; a repeat says the same."""

    reply: ReplyId
    pool: PoolId
    case: CaseId
    account: AccountId
    conversation: ConversationId
    state: DeliveryState
    at_ms: Integer
    provider_message_id: str | None = None
    reason: str = ""


class Notice(_Wire, frozen=True, kw_only=True, omit_defaults=True, tag="notice", tag_field="type"):
    """A message to staff. Carries ids, never text or addresses of customers.

    ``target`` names a notice target of the settings; ``staff`` those it is for, ``about`` the advisor it tells of.
    ``kind`` says what happened (``step``, ``chaser``, ``missed-offers``; more may come). It isn't sent before
    ``not_before_ms``: that is when the target's quiet hours end. ``trigger`` is what a step came for; ``about`` then
    the advisor who took it by hand, ``top`` that it was to move the case up and no tier is left. ``owner`` has the case
    since: empty for nobody, None where it isn't said.
    """

    id: NoticeId
    pool: PoolId
    case: CaseId
    kind: str
    target: str
    at_ms: Integer
    queue: str = ""
    priority: Integer = 3
    step: Integer = 0
    clock: str = ""
    due_at_ms: Integer | None = None
    staff: tuple[AdvisorId, ...] = ()
    not_before_ms: Integer | None = None
    about: AdvisorId | None = None
    trigger: str = ""
    owner: str | None = None
    top: bool = False


class StaffNote(_Wire, frozen=True, kw_only=True, omit_defaults=True, tag="note", tag_field="type"):
    """An internal note on a case: part of its transcript, never sent to the customer."""

    case: CaseId
    text: str
    at_ms: int
    author: str = ""


class CaseNote(_Wire, frozen=True, kw_only=True, omit_defaults=True, tag="note", tag_field="type"):
    """An internal note as it lies on the bus, where only a rebuild reads it: a ``StaffNote`` with its place, the
    event of ``gen`` and ``number`` that tells of it."""

    pool: PoolId
    case: CaseId
    gen: Integer
    ver: Integer
    number: Integer
    text: str
    at_ms: Integer
    author: str = ""


IntakeMessage = Inquiry | Handover
TranscriptEntry = Inquiry | Reply | StaffNote
