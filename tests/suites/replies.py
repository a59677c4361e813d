"""A reply to be sent, so that a test says only what matters to it."""

from typing import Final

from router.contract.ids import AccountId, CaseId, ConversationId, PoolId, ReplyId
from router.contract.messages import Address, Reply

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
