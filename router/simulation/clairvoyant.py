"""The clairvoyant bound: how many promises even a schedule made with full knowledge of the future could keep.

A linear programme, for small cases. Each inquiry is a job that, to be in time, has to be worked on between its arrival
and the latest end of a work begun in time; work may be split and handed on at will, and a part of a job counts as that
part of a kept promise. So no schedule whatever keeps more. As a job is worked on at most once at a time and a group
works with what it has, the possible amounts of work are flows in a network (job to group and interval), and those make
a polymatroid (N. Megiddo, "Optimal flows in networks with multiple sources and sinks", Mathematical Programming 7,
1974): the programme's optimum is found greedily, the shortest job first (J. Edmonds, "Submodular functions, matroids,
and certain polyhedra", 1970), each with as much as still can be sent along augmenting paths.
"""

from collections import deque
from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from router.simulation.installation import Installation, Worker
from router.simulation.traffic import HOUR_MS, Job
from rules import Verdict

MOST_JOBS: Final = 400
_SINK: Final = 0


class _Crew(NamedTuple):
    """Advisors with the same skills, languages, queues and shift."""

    worker: Worker
    budget: int


def clairvoyant(jobs: Sequence[Job], scene: Installation, *, units: Sequence[int], languages: Sequence[str]) -> float:
    """The greatest share that can be in time, from 0 to 1. ``units`` is what a case of each class takes, ``languages``
    what it asks for. Raises ``ValueError`` with more jobs than ``MOST_JOBS``: it would take too long."""
    if len(jobs) > MOST_JOBS:
        raise ValueError(f"{len(jobs)} inquiries are too many for the clairvoyant bound ({MOST_JOBS})")
    if not jobs:
        return 1.0
    crews = _crews(scene)
    windows = [_window(job, scene) for job in jobs]
    edges = sorted({edge for window in windows for edge in window} | set(_shift_edges(crews)))
    network = _Network()
    places = _places(network, crews, edges)
    nodes = [network.node() for _ in jobs]
    for job, window, node in zip(jobs, windows, nodes, strict=True):
        able = [
            number
            for number, crew in enumerate(crews)
            if _may_take(crew.worker, scene.verdicts[job.kind], languages[job.kind])
        ]
        for interval, (begin, end) in enumerate(pairwise(edges)):
            if able and window[0] <= begin and end <= window[1]:
                # At most once at a time, whoever does it.
                once = network.node()
                network.join(node, once, (end - begin) * units[job.kind])
                for crew in able:
                    network.join(once, places[crew, interval], (end - begin) * units[job.kind])
    kept = 0.0
    for at in sorted(range(len(jobs)), key=lambda each: jobs[each].handle_ms * units[jobs[each].kind]):
        wanted = jobs[at].handle_ms * units[jobs[at].kind]
        kept += network.send(nodes[at], wanted) / wanted
    return kept / len(jobs)


def _window(job: Job, scene: Installation) -> tuple[int, int]:
    latest_ms = scene.targets_ms[job.kind]
    if job.patience_ms:
        latest_ms = min(latest_ms, job.patience_ms)
    return job.at_ms, job.at_ms + latest_ms + job.handle_ms


def _crews(scene: Installation) -> list[_Crew]:
    found: dict[str, _Crew] = {}
    for worker in scene.workers:
        profile = worker.profile
        queues = (profile.queues, profile.secondary)
        key = repr((sorted(profile.skills.items()), sorted(profile.languages.items()), queues, worker.shift))
        before = found.get(key)
        found[key] = _Crew(worker, (before.budget if before else 0) + profile.budget)
    return list(found.values())


def _shift_edges(crews: Sequence[_Crew]) -> list[int]:
    shifts = [crew.worker.shift for crew in crews if crew.worker.shift is not None]
    return [round(hour * HOUR_MS) for shift in shifts for hour in (shift.from_h, shift.to_h)]


def _places(network: "_Network", crews: Sequence[_Crew], edges: Sequence[int]) -> dict[tuple[int, int], int]:
    """A node for each crew in each interval, with what it can do then. Work that was begun may go on after a shift."""
    places = {}
    for number, crew in enumerate(crews):
        shift = crew.worker.shift
        for interval, (begin, end) in enumerate(pairwise(edges)):
            places[number, interval] = node = network.node()
            if shift is None or begin >= round(shift.from_h * HOUR_MS):
                network.join(node, _SINK, crew.budget * (end - begin))
    return places


def _may_take(worker: Worker, verdict: Verdict, language: str) -> bool:
    profile = worker.profile
    return (
        (not profile.queues or verdict.queue in (*profile.queues, *profile.secondary))
        and (not language or profile.languages.get(language, 0) >= max(1, verdict.language_level))
        and all(profile.skills.get(want.skill, 0) >= want.level for want in verdict.wants if want.hard)
    )


class _Network:
    """A flow network: what is sent from a node to the sink finds its way around what was sent before."""

    def __init__(self) -> None:
        self._room: list[dict[int, int]] = [{}]

    def node(self) -> int:
        self._room.append({})
        return len(self._room) - 1

    def join(self, begin: int, end: int, room: int) -> None:
        self._room[begin][end] = self._room[begin].get(end, 0) + room
        self._room[end].setdefault(begin, 0)

    def send(self, begin: int, wanted: int) -> int:
        """Send as much as possible, at most so much; how much it was."""
        sent = 0
        while sent < wanted and (path := self._path(begin)):
            amount = min(wanted - sent, *(self._room[one][other] for one, other in path))
            for one, other in path:
                self._room[one][other] -= amount
                self._room[other][one] += amount
            sent += amount
        return sent

    def _path(self, begin: int) -> list[tuple[int, int]]:
        """A shortest way to the sink that has room; empty when there is none."""
        came: dict[int, int] = {begin: begin}
        ahead = deque([begin])
        while ahead and _SINK not in came:
            node = ahead.popleft()
            for other, room in self._room[node].items():
                if room > 0 and other not in came:
                    came[other] = node
                    ahead.append(other)
        path, node = [], _SINK
        while node in came and node != begin:
            path.append((came[node], node))
            node = came[node]
        return path
