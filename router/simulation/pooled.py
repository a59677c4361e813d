"""The pooled bound: how many promises could be kept if everybody could do everything and nobody late were ever served.

All capacity is one, and whoever is due first goes first; who can't be in time any more is turned away at once. Among
all policies that don't know the future this keeps the most promises where service times don't depend on the class
(Panwar, Towsley and Wolf, "Optimal scheduling policies for a class of queues with customer deadlines to the beginning
of service", Journal of the ACM 35(4), 1988). So no roster with skills can do better by chance alone.
"""

import heapq
from collections.abc import Iterable, Sequence

from router.simulation.installation import Installation
from router.simulation.traffic import HOUR_MS, Job


def pooled(jobs: Iterable[Job], scene: Installation, *, units: Sequence[int], warm_up_ms: int = 0) -> float:
    """The share of these inquiries that is in time; 1 of none. ``units`` is what a case of each class takes. To bound a
    single class, give its inquiries alone: whatever is done for the others can only take from it."""
    office = _Pool(scene, units)
    came = kept = 0
    for job in jobs:
        kept += sum(at_ms >= warm_up_ms for at_ms in office.serve(until_ms=job.at_ms))
        came += job.at_ms >= warm_up_ms
        office.add(job)
    kept += sum(at_ms >= warm_up_ms for at_ms in office.serve(until_ms=None))
    return kept / came if came else 1.0


class _Pool:
    """Everybody's capacity together. It grows and shrinks with the shifts."""

    def __init__(self, scene: Installation, units: Sequence[int]) -> None:
        self._units = units
        self._targets_ms = scene.targets_ms
        self._free = sum(worker.profile.budget for worker in scene.workers if worker.shift is None)
        # (when, by how much the free capacity changes)
        self._changes: list[tuple[int, int]] = []
        for worker in scene.workers:
            if worker.shift is not None:
                self._changes.append((round(worker.shift.from_h * HOUR_MS), worker.profile.budget))
                self._changes.append((round(worker.shift.to_h * HOUR_MS), -worker.profile.budget))
        heapq.heapify(self._changes)
        self._waiting: list[tuple[int, Job]] = []  # by until when they must be taken up
        self._begun: list[int] = []

    def add(self, job: Job) -> None:
        """One more comes; what was due before must have been served."""
        due_ms = job.at_ms + self._targets_ms[job.kind]
        if job.patience_ms:
            due_ms = min(due_ms, job.at_ms + job.patience_ms)
        heapq.heappush(self._waiting, (due_ms, job))
        self._begin(job.at_ms)

    def serve(self, *, until_ms: int | None) -> list[int]:
        """Go on until then (or the end); when each came that was taken up in time since the last call."""
        while self._changes and (until_ms is None or self._changes[0][0] <= until_ms):
            at_ms, units = heapq.heappop(self._changes)
            self._free += units
            self._begin(at_ms)
        begun, self._begun = self._begun, []
        return begun

    def _begin(self, now_ms: int) -> None:
        while self._waiting:
            due_ms, job = self._waiting[0]
            size = self._units[job.kind]
            if due_ms >= now_ms and size > self._free:
                return
            heapq.heappop(self._waiting)
            if due_ms >= now_ms:
                self._free -= size
                heapq.heappush(self._changes, (now_ms + job.handle_ms, size))
                self._begun.append(job.at_ms)
