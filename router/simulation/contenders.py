"""The contenders: policies by name, each with the rulebook that it is run on."""

from typing import Final

from msgspec.structs import replace

from router.simulation.case import Case
from router.simulation.others import NAMES, Other, Rings
from router.simulation.policies import Ours, Policy
from rules import Queue, Rulebook
from rules.rulebook import QueueOrder, Strategy

AS_WRITTEN: Final = "as-written"
RINGS: Final = "skill-rings"
DEFAULT: Final = str(Queue(policy="any").strategy)
"""What a queue has that names no strategy."""
OURS: Final = tuple(str(strategy) for strategy in Strategy)
OTHERS: Final = (*NAMES, RINGS)
EVERY: Final = (*OURS, *OTHERS)


def contender(name: str, case: Case, rulebook: Rulebook) -> tuple[Policy, Rulebook]:
    """A policy, and the rulebook with what it says of the queues. ``as-written`` leaves them as they are. Raises
    ``KeyError`` for a name that there isn't."""
    if name == AS_WRITTEN:
        return Ours(rulebook), rulebook
    if name in OURS:
        arranged = _arranged(rulebook, strategy=Strategy(name))
        return Ours(arranged), arranged
    other = Rings([round(delay_s * 1000) for delay_s in case.rings]) if name == RINGS else Other(*NAMES[name])
    return other, _arranged(rulebook, order=QueueOrder.FIFO)


def _arranged(
    rulebook: Rulebook, *, strategy: Strategy | None = None, order: QueueOrder = QueueOrder.URGENCY
) -> Rulebook:
    """The rulebook with every queue's order and strategy replaced. Its hash stays that of what it was made of."""
    queues = {
        name: replace(queue, order=order, strategy=strategy or queue.strategy)
        for name, queue in rulebook.queues.items()
    }
    return replace(rulebook, queues=queues)
