"""How far an act got: what was asked with an operation id can be asked after with it."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

import msgspec

from router.api.acts.acting import Done
from router.api.acts.repeats import seen_on_advisor, seen_on_case
from router.api.desks import Caller
from router.api.views import View
from router.contract.ids import AdvisorId, CaseId
from router.store.acts import Outcome, Result

_REMEMBERED: Final = 10_000


class OperationView(View, frozen=True, kw_only=True):
    """``pending``: applied, not on the bus yet; ``durable``: on the bus; ``lost``: undone by a rebuild of the
    store, ask for it again; ``forgotten``: never applied, or no longer among the last 8 of its subject."""

    operation: str
    state: str
    result: str = ""


class _Applied(msgspec.Struct):
    gen: int
    number: int
    is_durable: bool = False


class Operations:
    """Asks the store, which remembers the last 8 of each case and advisor, so that any replica can answer. What
    this process applied is remembered too: an act that a rebuild undid is ``lost``, not only ``forgotten``, and one
    that was on the bus is in what was rebuilt. ``forgotten`` is told of each that newer ones drive out."""

    def __init__(self, *, durable_wait_s: float, forgotten: Callable[[], object]) -> None:
        self._durable_wait_s = durable_wait_s
        self._forgotten = forgotten
        self._applied: OrderedDict[tuple[str, str], _Applied] = OrderedDict()

    async def applied(self, caller: Caller, done: Done, subject: str) -> bool:
        """Note an act on a case or an advisor, and whether it became durable in time."""
        operation = caller.request(done.op).op
        known = self._applied[subject, operation] = _Applied(caller.desk.actor.gen, done.number)
        while len(self._applied) > _REMEMBERED:
            self._applied.popitem(last=False)
            self._forgotten()
        known.is_durable = await caller.desk.progress.reached_within(done.number, self._durable_wait_s)
        return known.is_durable

    async def confirmed(self, caller: Caller, done: Done, subject: str) -> None:
        """Return when an act that was noted is durable, however long that takes."""
        await caller.desk.progress.reached(done.number)
        known = self._applied.get((subject, caller.request(done.op).op))
        if known is not None:
            known.is_durable = True

    async def of_case(self, caller: Caller, case: CaseId, op: str) -> OperationView:
        """What became of this key's operation on a case."""
        return self._told(caller, case, op, await seen_on_case(caller, case, op))

    async def of_advisor(self, caller: Caller, advisor: AdvisorId, op: str) -> OperationView:
        """What became of this key's operation on an advisor: his presence."""
        return self._told(caller, advisor, op, await seen_on_advisor(caller, advisor, op))

    def _told(self, caller: Caller, subject: str, op: str, outcome: Outcome | None) -> OperationView:
        known = self._applied.get((subject, caller.request(op).op))
        if outcome is not None:
            return self._seen(caller, op, outcome.durable_at, outcome.result)
        if known is not None and known.gen != caller.desk.actor.gen:
            return OperationView(operation=op, state="durable" if known.is_durable else "lost")
        if known is not None:
            return self._seen(caller, op, known.number, None)
        return OperationView(operation=op, state="forgotten")

    @staticmethod
    def _seen(caller: Caller, op: str, number: int, result: Result | None) -> OperationView:
        is_durable = number <= caller.desk.progress.reached_number
        return OperationView(operation=op, state="durable" if is_durable else "pending", result=result or "")
