"""Queues over REST: how much waits where, and who is next."""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from aiohttp import web

from router.api.desks import Desk, may_pick
from router.api.keys import EVERYONE, OVERSIGHT, Gate
from router.api.problems import refused
from router.api.rest.answers import json_answer, number
from router.api.views import CaseView, View, case_view
from router.contract.case import CaseState, CaseStatus
from router.contract.codec import rfc3339
from router.contract.ids import CaseId
from router.engine.waiting import NO_CLOCK, read_class
from router.store.protocol import Head

_DEFAULT_PAGE: Final = 50
_MOST: Final = 200
_DEEPEST: Final = 1_000


class QueueView(View, frozen=True, kw_only=True, omit_defaults=False):
    """A queue. ``waiting`` cases in ``classes`` lines; ``next_due`` is the earliest due time of what waits under a
    clock."""

    queue: str
    title: str
    waiting: int
    classes: int
    next_due: str | None = None


class QueuesPage(View, frozen=True, kw_only=True):
    """Every queue of the rulebook in force, and those gone from it in which something still waits."""

    queues: tuple[QueueView, ...]


class LinePage(View, frozen=True, kw_only=True):
    """Cases that wait in a queue, in line order. ``next`` is ``after`` of the next page, absent on the last; no
    page begins beyond the first 1,000."""

    cases: tuple[CaseView, ...]
    next: int | None = None


class Queues:
    """The handlers of ``/v1/queues``."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    async def all(self, request: web.Request) -> web.Response:
        desk = self._gate.caller(request, OVERSIGHT).desk
        by_queue = await _heads(desk)
        lengths = {size.class_key: size.length for size in await desk.lines.line_sizes(desk.pool)}
        names = [*desk.policies.active.queues, *sorted(by_queue.keys() - desk.policies.active.queues.keys())]
        queues = [_queue(desk, name, by_queue.get(name, ()), lengths) for name in names]
        return json_answer(QueuesPage(queues=tuple(queues)))

    async def line(self, request: web.Request) -> web.Response:
        caller = self._gate.caller(request, EVERYONE)
        desk, name = caller.desk, request.match_info["queue"]
        queue = desk.policies.active.queues.get(name)
        if caller.advisor and (queue is None or not may_pick(desk, caller.advisor, queue)):
            raise refused("forbidden", "The queue lets no advisor of your tier take its cases himself.")
        by_queue = await _heads(desk)
        if name not in by_queue and name not in desk.policies.active.queues:
            raise refused("not-found", "There is no such queue.")
        after = number(request.query.get("after"), default=0, most=_DEEPEST)
        limit = max(1, number(request.query.get("limit"), default=_DEFAULT_PAGE, most=_MOST))
        found = await _in_line(desk, by_queue.get(name, ()), after + limit + 1)
        end = after + limit
        is_more = len(found) > end and end <= _DEEPEST
        page = LinePage(cases=tuple(map(case_view, found[after:end])), next=end if is_more else None)
        return json_answer(page)


async def _heads(desk: Desk) -> dict[str, list[Head]]:
    by_queue: dict[str, list[Head]] = {}
    for head in await desk.reads.heads(desk.pool):
        by_queue.setdefault(read_class(head.class_key).queue, []).append(head)
    return by_queue


def _queue(desk: Desk, name: str, heads: Sequence[Head], lengths: Mapping[str, int]) -> QueueView:
    due = [head.score for head in heads if read_class(head.class_key).clock != NO_CLOCK]
    queue = desk.policies.active.queues.get(name)
    return QueueView(
        queue=name,
        title=(queue.title if queue else None) or name,
        waiting=sum(lengths.get(head.class_key, 0) for head in heads),
        classes=len(heads),
        next_due=rfc3339(min(due)) if due else None,
    )


async def _in_line(desk: Desk, heads: Sequence[Head], limit: int) -> list[CaseState]:
    """The first of several lines as one: each line is read no further than it is needed."""
    lines = [iter(await desk.reads.waiting(desk.pool, head.class_key, limit)) for head in heads]
    firsts = []
    for place, line in enumerate(lines):
        state = await _next_waiting(desk, line)
        if state is not None:
            firsts.append((state.score, state.id, place, state))
    heapq.heapify(firsts)
    found: list[CaseState] = []
    while firsts and len(found) < limit:
        _, _, place, state = heapq.heappop(firsts)
        found.append(state)
        following = await _next_waiting(desk, lines[place])
        if following is not None:
            heapq.heappush(firsts, (following.score, following.id, place, following))
    return found


async def _next_waiting(desk: Desk, line: Iterator[CaseId]) -> CaseState | None:
    """The next of a line that still waits."""
    for case in line:
        state = await desk.reads.case(desk.pool, case)
        if state is not None and state.state is CaseStatus.QUEUED:
            return state
    return None
