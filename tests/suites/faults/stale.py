"""An act under a stale fence, by the very functions that the plant's processes call."""

from typing import Any, Final

from router.contract.ids import CaseId, ConversationId, InquiryId
from router.contract.plan import Plan
from router.store.acts import Admit, Fence, Result
from router.store.library import Library
from tests.suites.faults.gathering import POOL, StoreView

PARTITION: Final = "probe/0"


async def stale_admit(view: StoreView) -> list[str]:
    """What is wrong: an admit under an epoch that a newer one has fenced off is looked at, by a library in use."""
    faults = []
    for name in await view.libraries():
        store = view.with_library(Library(name=name, text=""))
        (old,) = (await store.take_epochs(POOL, [PARTITION])).values()
        await store.take_epochs(POOL, [PARTITION])
        status = await store.status(POOL)
        members: dict[str, Any] = {"pool": POOL, "gen": status.gen, "now_ms": status.now_ms}
        act = Admit(
            **members,
            case=CaseId("stale"),
            conversation=ConversationId("stale"),
            inquiry=InquiryId("stale"),
            message="{}",
            channel="webhook",
            units=10,
            plan=Plan(ver=1, class_key="stale"),  # of no case: not fenced, it would be a conflict, and harm nobody
            fence=Fence(partition=PARTITION, epoch=old, offset=0),
        )
        (outcome,) = await store.apply((act,))
        if outcome.result is not Result.FENCED:
            faults.append(f"an admit under epoch {old} gave {outcome.result} by {name}")
    return faults
