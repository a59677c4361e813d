"""Who asks for an act on a case, and what goes with the asking."""

from typing import Any

import msgspec

from router.contract.ids import AdvisorId, OperationId
from router.engine.exclusions import NO_WISH, Wish
from router.service.acting import Actor


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks, and under which operation id (the same id again gives the same answer). ``advisor`` is empty
    for a supervisor acting as himself. ``wish`` is whom the case is kept from by it."""

    op: OperationId
    actor: str
    advisor: AdvisorId | None = None
    reason: str = ""
    wish: Wish = NO_WISH

    def common(self, actor: Actor) -> dict[str, Any]:
        """What every act for it has."""
        return {
            "pool": actor.pool,
            "gen": actor.gen,
            "now_ms": actor.now_ms(),
            "op": self.op,
            "actor": self.actor,
            "reason": self.reason,
        }
