"""A reply to be sent, and what sending needs, so that a test says only what matters to it."""

from typing import Final

import aiohttp
from msgspec.structs import replace
from obstore.store import MemoryStore

from router.contract.ids import AccountId, CaseId, ConversationId, PoolId, ReplyId
from router.contract.messages import Address, Attachment, Reply
from router.runtime.blobs import Blobs
from router.runtime.clock import SystemClock
from router.runtime.secret import Secret
from router.runtime.signer import Signer

SHOP: Final = AccountId("shop")
REPLY: Final = Reply(
    id=ReplyId("r1"),
    pool=PoolId("default"),
    case=CaseId("c1"),
    conversation=ConversationId("v1"),
    to=Address(account=SHOP, address="customer"),
    text="hello",
    created_at_ms=1,
)
FILE: Final = Attachment(name="a.pdf", media_type="application/pdf", size_bytes=5, sha256="x", blob="shop/r1/0")


def saying(text: str, *files: Attachment) -> Reply:
    """A reply with that text and those files."""
    return replace(REPLY, text=text, attachments=files)


class SendingHost:
    """What sending needs of a host."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self.clock = SystemClock()
        self.http = http
        self.blobs = Blobs(MemoryStore(), Signer([Secret("x" * 32)]))
