"""Which conversation a mail belongs to, computed from the mail alone. Pure.

A mail of ours carries a signed token in its Message-ID and behind the plus of its Reply-To; the customer's
program sends one of them back. Without it the root of ``References`` names the thread.
"""

import base64
import binascii
import re
import uuid
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from channels.email.mime import Headers
from router.contract.ids import AccountId, CaseId, ConversationId, ReplyId, conversation_id
from router.runtime.errors import TokenRefused
from router.runtime.signer import Signer

_PURPOSE: Final = "mail-thread"
_REPLY: Final = "mail-reply"
_NAME_CHARS: Final = 26
_TOKEN: Final = re.compile(r"[a-z2-7]{42}", re.IGNORECASE)
_MESSAGE_ID: Final = re.compile(r"<([^<>\s]{1,300})>")
_KEPT_REFERENCES: Final = 20
_READ_REFERENCES: Final = 200
_MAX_LOCAL: Final = 64


class SentReply(NamedTuple):
    """What a mail of ours says of itself, should it come back."""

    reply: ReplyId
    case: CaseId
    conversation: ConversationId


class MailTokens:
    """Makes and reads the tokens of one account's mail. A token of another account says nothing here."""

    def __init__(self, signer: Signer, account: AccountId) -> None:
        self._signer = signer
        self._account = account

    def token(self, conversation: ConversationId) -> str | None:
        """The token of a conversation, 42 letters and digits; None if the id isn't one that we made."""
        try:
            name = uuid.UUID(conversation)
        except ValueError:
            return None
        if str(name) != conversation:
            return None
        encoded = base64.b32encode(name.bytes).rstrip(b"=").decode().lower()
        return encoded + self._signer.stamp(_PURPOSE, self._stamped(encoded))

    def conversation(self, token: str) -> ConversationId | None:
        """The conversation that a token names; None if it isn't ours."""
        if _TOKEN.fullmatch(token) is None:
            return None
        encoded = token[:_NAME_CHARS].lower()
        if not self._signer.is_stamp(_PURPOSE, self._stamped(encoded), token[_NAME_CHARS:]):
            return None
        try:
            return ConversationId(str(uuid.UUID(bytes=base64.b32decode(f"{encoded.upper()}======"))))
        except (binascii.Error, ValueError):
            return None

    def seal(self, sent: SentReply) -> str:
        """What goes into a mail's header so that a bounce can be told to its case."""
        return self._signer.sign(_REPLY, "\n".join((self._account, *sent)))

    def unseal(self, text: str) -> SentReply | None:
        """What a returned header says; None if this account didn't write it."""
        try:
            account, reply, case, conversation = self._signer.open(_REPLY, text, now_ms=0).split("\n")
        except (TokenRefused, ValueError):
            return None
        if account != self._account:
            return None
        return SentReply(ReplyId(reply), CaseId(case), ConversationId(conversation))

    def _stamped(self, encoded: str) -> str:
        return f"{self._account}\n{encoded}"


class MailThread(NamedTuple):
    """Where a mail stands. ``references`` is what an answer to it has to refer to, itself included."""

    conversation: ConversationId
    message_id: str
    references: tuple[str, ...]


def message_ids(text: str) -> tuple[str, ...]:
    """The ids in a header, with their angle brackets; printable ASCII only, since they are sent back."""
    found = (match[0] for _, match in zip(range(_READ_REFERENCES), _MESSAGE_ID.finditer(text), strict=False))
    return tuple(each for each in found if each.isascii() and each.isprintable())


def thread_of(
    headers: Headers, account: AccountId, tokens: MailTokens, *, recipients: Sequence[str], fallback: str
) -> MailThread:
    """Read the thread. ``recipients`` are the addresses it came to; ``fallback`` names a mail whose
    Message-ID is none."""
    own = next(iter(message_ids(headers.first("message-id"))), "")
    parents = message_ids(headers.first("in-reply-to"))
    references = message_ids(headers.first("references"))
    candidates = (*_domains(parents), *_domains(reversed(references)), *(plus_part(each) for each in recipients))
    signed = next((found for each in candidates if (found := tokens.conversation(each)) is not None), None)
    root = next(iter((*references, *parents)), own or fallback)
    chain = references or parents[:1]
    return MailThread(signed or conversation_id(account, root), own, shortened((*chain, own) if own else chain))


def shortened(references: Sequence[str]) -> tuple[str, ...]:
    """Without repeats, and the root with the last ones if they are many."""
    unique = tuple(dict.fromkeys(references))
    return unique if len(unique) <= _KEPT_REFERENCES else (unique[0], *unique[1 - _KEPT_REFERENCES :])


def plus_address(address: str, token: str | None) -> str | None:
    """The mailbox's address with the token; None if there is none or the part before @ would be too long."""
    local, _, domain = address.rpartition("@")
    if token is None or len(local) + 1 + len(token) > _MAX_LOCAL:
        return None
    return f"{local}+{token}@{domain}"


def plus_part(address: str) -> str:
    """What stands behind the plus of an address, empty if nothing does."""
    return address.rpartition("@")[0].partition("+")[2]


def without_plus(address: str) -> str:
    """The mailbox that an address with a plus belongs to, in lower case."""
    local, _, domain = address.rpartition("@")
    return f"{local.partition('+')[0]}@{domain}".lower()


def _domains(ids: Iterable[str]) -> Iterable[str]:
    return (each.rpartition("@")[2].partition(".")[0].rstrip(">") for each in ids)
