"""Secondary members of a queue: who may have its cases once they have waited for its `secondary_after_s`.

They join by a step of relaxation of their own, among those of the queue, under a name that no queue can have.
"""

from functools import lru_cache
from typing import Final

from rules.ladders import RelaxStep
from rules.rulebook import Queue

_MARK: Final = "/secondary"


def secondary(queue: str) -> str:
    """What a queue's secondary members are members of."""
    return queue + _MARK


def queue_of(name: str) -> str | None:
    """The queue whose secondary members the name stands for; None for the name of a queue."""
    return name.removesuffix(_MARK) if name.endswith(_MARK) else None


def steps_of(name: str, queue: Queue) -> tuple[RelaxStep, ...]:
    """All steps of relaxation of a queue in the order of their time, with the one in which its secondary members join.
    Of two at one time that one comes first."""
    if queue.secondary_after_s is None:
        return queue.relax
    join = _join(name, queue.secondary_after_s)
    return tuple(sorted((join, *queue.relax), key=lambda step: step.after_s))


@lru_cache(maxsize=1024)
def _join(name: str, after_s: int) -> RelaxStep:
    return RelaxStep(after_s=after_s, queues=(secondary(name),))
