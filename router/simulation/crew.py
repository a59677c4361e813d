"""A crew: the replications of a question, done here or by several processes side by side."""

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from multiprocessing.sharedctypes import Synchronized
from typing import Any, Final, NamedTuple, TypeVar

from router.simulation.bounds import bounds
from router.simulation.installation import Installation
from router.simulation.measures import Measured
from router.simulation.question import Question
from router.simulation.runs import run

Told = Callable[[int], object]
Task = tuple[int, int]
"""An entry, by its place in the question, and a replication."""
T = TypeVar("T")
_TELL_EVERY_S: Final = 0.2


class Known(NamedTuple):
    """What a process is told once: to send it with every task would take longer than many a task."""

    question: Question
    scenes: tuple[Installation, ...]
    told: Told


class Crew:
    """Gives what tasks come to in the order of the tasks, however many are done at once."""

    def __init__(self, do: Callable[[Callable[[Known, Task], Any], Sequence[Task]], Iterator[Any]]) -> None:
        self._do = do

    def runs(self, tasks: Sequence[Task]) -> Iterator[Measured]:
        """Each entry on its replication."""
        return self._do(_run, tasks)

    def bounds(self, tasks: Sequence[Task]) -> Iterator[dict[str, float]]:
        """What nobody could do better on what an entry is run on, by class and for ``all``."""
        return self._do(_bounds, tasks)


@contextmanager
def crew(question: Question, *, processes: int = 1, told: Told = lambda _: None) -> Iterator[Crew]:
    """A crew for a question. ``told`` is called, here, with how many more inquiries have come, now and then."""
    most = min(processes, len(question.entries) * question.rounds[-1])
    if most == 1:
        known = _known(question, told)
        yield Crew(lambda do, tasks: (do(known, task) for task in tasks))
        return
    context = multiprocessing.get_context("spawn")
    come = context.Value("q", 0)
    pool = ProcessPoolExecutor(most, context, _learn, (question, come))
    try:
        yield Crew(lambda do, tasks: _in_order([pool.submit(_do_known, do, task) for task in tasks], come, told))
    finally:
        pool.shutdown(cancel_futures=True)


def _in_order(futures: Sequence[Future[T]], come: "Synchronized[int]", told: Told) -> Iterator[T]:
    for future in futures:
        while not future.done():
            wait((future,), timeout=_TELL_EVERY_S)
            _pass_on(come, told)
        yield future.result()
    _pass_on(come, told)


def _pass_on(come: "Synchronized[int]", told: Told) -> None:
    with come.get_lock():
        more, come.value = come.value, 0
    if more:
        told(more)


_LEARNT: list[Known] = []


def _learn(question: Question, come: "Synchronized[int]") -> None:
    def count(more: int) -> None:
        with come.get_lock():
            come.value += more

    _LEARNT[:] = [_known(question, count)]


def _do_known(do: Callable[[Known, Task], T], task: Task) -> T:
    (known,) = _LEARNT
    return do(known, task)


def _known(question: Question, told: Told) -> Known:
    return Known(question, tuple(entry.scene(question.case) for entry in question.entries), told)


def _run(known: Known, task: Task) -> Measured:
    entry, replication = task
    question = known.question
    policy = question.entries[entry].policy
    return run(question.case, policy, replication, scene=known.scenes[entry], told=known.told)


def _bounds(known: Known, task: Task) -> dict[str, float]:
    entry, replication = task
    return bounds(known.question.case, known.scenes[entry], replication)
