"""Deliveries: what became of a reply comes back to its case, and a failed one before its advisor."""

from collections.abc import Awaitable
from typing import Final

from router.contract.case import CaseState
from router.contract.codec import Decoder
from router.contract.messages import Delivery
from router.engine import plans
from router.runtime.bus.protocol import Record
from router.service.acting import Actor
from router.service.configuration.policies import Policies
from router.service.progress import Progress
from router.store.acts import AnyAct, Delivered, Outcome, Result

_DECODER: Final = Decoder(Delivery)
_KNOWN: Final = Outcome(result=Result.SAME)


class Deliveries:
    """Handles the records of the deliveries topic that belong to one pool. A repeat changes nothing: the case
    knows each reply's last state."""

    def __init__(self, actor: Actor, *, policies: Policies, progress: Progress) -> None:
        self._actor = actor
        self._policies = policies
        self._progress = progress

    async def handle(self, record: Record) -> Awaitable[None] | None:
        """Apply one record. A case that is closed by now, or a reply it doesn't know, needs nothing."""
        delivery = _DECODER.decode(record.value, Delivery)
        if delivery.pool != self._actor.pool:
            return None
        outcome = await self._actor.attempt(delivery.case, lambda state: self._act(state, delivery))
        return self._progress.confirmation(await self._actor.durable_at(outcome))

    def _act(self, state: CaseState, delivery: Delivery) -> AnyAct | Outcome:
        scene = self._policies.scene(state, self._actor.now_ms())
        detail = plans.delivered(state, delivery.reply, delivery.state, delivery.reason)
        if detail is None:
            return _KNOWN
        return Delivered(
            pool=self._actor.pool,
            gen=self._actor.gen,
            now_ms=scene.now_ms,
            reason=delivery.reason,
            case=state.id,
            plan=plans.plan(state, detail, scene),
            reply=delivery.reply,
            state=delivery.state,
        )
