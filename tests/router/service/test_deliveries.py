"""Deliveries: the outcome of a reply comes to its case, once, whatever else happens to the case."""

from router.contract.case import read_detail
from router.contract.codec import encode
from router.contract.ids import AccountId, CaseId, ConversationId, PoolId, ReplyId
from router.contract.messages import Delivery, DeliveryState
from router.contract.topics import DELIVERIES
from router.runtime.bus.protocol import Partition, Record
from router.service.deliveries import Deliveries
from router.service.progress import Progress
from tests.suites.stage import POOL, Stage, stage


def record(reply: ReplyId, state: DeliveryState, *, case: str = "c1", pool: PoolId = POOL) -> Record:
    delivery = Delivery(
        reply=reply,
        pool=pool,
        case=CaseId(case),
        account=AccountId("acc"),
        conversation=ConversationId("t"),
        state=state,
        at_ms=1,
        reason="the page is gone" if state is DeliveryState.FAILED else "",
    )
    return Record(
        partition=Partition(DELIVERIES, 0),
        offset=0,
        epoch=1,
        key="t",
        value=encode(delivery),
        headers=(),
        published_at_ms=1,
    )


async def answered(scene: Stage) -> ReplyId:
    await scene.hire("mina")
    await scene.write("c1")
    await scene.accept("c1")
    outcome = await scene.casework.reply(CaseId("c1"), scene.request("mina"), text="hello")
    assert outcome.case is not None
    return read_detail(outcome.case.detail).replies[0].id


async def deliver(scene: Stage, told: Record) -> None:
    """Handle one record, with a relay that has brought everything to the bus."""
    progress = Progress(POOL, scene.store)
    progress.reached_number = 1_000_000
    durable = await Deliveries(scene.actor, policies=scene.policies, progress=progress).handle(told)
    if durable is not None:
        await durable


async def test_a_failed_reply_is_noted_on_its_case_with_its_reason() -> None:
    async with stage() as scene:
        reply = await answered(scene)
        await deliver(scene, record(reply, DeliveryState.FAILED))
        noted = read_detail((await scene.case("c1")).detail).replies[0]
        assert (noted.state, noted.reason) == ("failed", "the page is gone")
        assert "delivered" in (await scene.store.history(POOL, CaseId("c1")))[-1]


async def test_the_same_delivery_again_changes_nothing() -> None:
    async with stage() as scene:
        reply = await answered(scene)
        await deliver(scene, record(reply, DeliveryState.SENT))
        before = await scene.case("c1")
        await deliver(scene, record(reply, DeliveryState.SENT))
        assert await scene.case("c1") == before


async def test_what_belongs_to_another_pool_or_to_no_case_is_passed_over() -> None:
    async with stage() as scene:
        reply = await answered(scene)
        before = await scene.case("c1")
        await deliver(scene, record(reply, DeliveryState.SENT, pool=PoolId("other")))
        await deliver(scene, record(reply, DeliveryState.SENT, case="gone"))
        assert await scene.case("c1") == before


async def test_what_is_known_already_is_done_only_when_that_is_on_the_bus() -> None:
    async with stage() as scene:
        told = record(await answered(scene), DeliveryState.SENT)
        deliveries = Deliveries(scene.actor, policies=scene.policies, progress=Progress(POOL, scene.store))
        assert await deliveries.handle(told) is not None
        assert await deliveries.handle(told) is not None
        elsewhere = record(ReplyId("r"), DeliveryState.SENT, pool=PoolId("other"))
        assert await deliveries.handle(elsewhere) is None
