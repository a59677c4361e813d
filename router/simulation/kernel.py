"""The kernel: events in the order of virtual time, from the first arrival until the last case is done."""

import heapq
from collections.abc import Callable, Iterable
from enum import IntEnum
from typing import Final, NamedTuple

import msgspec

from router.contract.advisor import Presence, WorkKind
from router.contract.case import CaseStatus
from router.contract.ids import AccountId, AdvisorId, CaseId, ConversationId, InquiryId
from router.contract.messages import Address, Customer, Inquiry
from router.simulation.case import Case
from router.simulation.installation import Installation
from router.simulation.office import POOL, Held, Office
from router.simulation.policies import Policy
from router.simulation.traffic import HOUR_MS, Job

_NEVER_MS: Final = 1 << 60
_TELL_EVERY: Final = 500
_ACCOUNT: Final = AccountId("simulation")
_STRANGER: Final = Customer(id="customer")
_NOWHERE: Final = Address(account=_ACCOUNT, address="nowhere")


class Fate(msgspec.Struct, gc=False):
    """What became of an inquiry. ``waited_ms`` is until somebody took it up or the customer gave up; ``worked_ms`` how
    long somebody worked on it."""

    kind: int
    at_ms: int
    waited_ms: int = -1
    worked_ms: int = 0
    has_left: bool = False
    advisor: str = ""


class _What(IntEnum):
    """What happens, and what comes first of what happens at once: work ends before anything else."""

    DONE = 0
    PRESENCE = 1
    LEAVES = 2
    LOOK = 3
    ACCEPT = 4


class _Event(NamedTuple):
    at_ms: int
    what: _What
    number: int
    name: str


class _Work(msgspec.Struct):
    """An inquiry on its way: what is left of its work, and since when somebody works on it. ``turn`` tells an event
    that is still meant from one that isn't."""

    fate: Fate
    left_ms: int
    since_ms: int = -1
    turn: int = 0
    due_ms: int = 0
    pace: float = 1.0


class Kernel:
    """Runs one replication of a case under one policy."""

    def __init__(self, case: Case, scene: Installation, policy: Policy, told: Callable[[int], object] = lambda _: 0):
        self._case = case
        self._scene = scene
        self._policy = policy
        self._told = told
        self._starts_ms = int(case.starts.timestamp() * 1000)
        self._office = Office(scene.rulebook, policy, self._starts_ms)
        self._workers = {worker.id: worker for worker in scene.workers}
        self._events: list[_Event] = []
        self._work: dict[CaseId, _Work] = {}
        self._ended_ms = round(case.hours * HOUR_MS)
        self._channels = [traffic.channel for traffic in case.classes.values()]

    def run(self, jobs: Iterable[Job]) -> list[Fate]:
        """What became of each inquiry, in the order of their arrival. One that nobody could take has waited until the
        last thing happened, and has no advisor."""
        fates: list[Fate] = []
        self._open()
        coming = iter(jobs)
        job = next(coming, None)
        while True:
            job_ms = job.at_ms if job else _NEVER_MS
            event_ms = self._events[0].at_ms if self._events else _NEVER_MS
            timer_ms = self._timer_ms()
            if min(job_ms, event_ms, timer_ms) == _NEVER_MS:
                break
            if job and job_ms < event_ms and job_ms < timer_ms:
                self._move_to(job_ms)
                fates.append(self._arrive(job, len(fates)))
                job = next(coming, None)
                if not len(fates) % _TELL_EVERY:
                    self._told(_TELL_EVERY)
            elif event_ms <= timer_ms:
                event = heapq.heappop(self._events)
                self._move_to(event.at_ms)
                self._happen(event)
            else:
                self._move_to(max(timer_ms, self._now_ms))
                self._office.fire()
            self._office.settle()
            self._take_up()
        self._told(len(fates) % _TELL_EVERY)
        self._close()
        return fates

    def _timer_ms(self) -> int:
        """When the next timer is due; never any more once all inquiries are done."""
        timer_ms = self._office.next_timer_ms if self._work else None
        return _NEVER_MS if timer_ms is None else timer_ms - self._starts_ms

    def _close(self) -> None:
        """Who is still waiting has waited until everybody went home."""
        for work in self._work.values():
            if work.fate.waited_ms < 0:
                work.fate.waited_ms = max(self._ended_ms, work.fate.at_ms) - work.fate.at_ms

    # -- what happens

    def _open(self) -> None:
        for worker in self._scene.workers:
            self._office.hire(worker.id, worker.profile)
            if worker.shift is None:
                self._office.present(worker.id, Presence.ONLINE)
                continue
            for hour, presence in ((worker.shift.from_h, Presence.ONLINE), (worker.shift.to_h, Presence.FINISHING)):
                at_ms = round(hour * HOUR_MS)
                heapq.heappush(self._events, _Event(at_ms, _What.PRESENCE, 0, f"{presence} {worker.id}"))
        self._office.settle()

    def _arrive(self, job: Job, number: int) -> Fate:
        fate = Fate(kind=job.kind, at_ms=job.at_ms)
        case = CaseId(f"c{number}")
        self._work[case] = _Work(fate=fate, left_ms=job.handle_ms)
        self._office.admit(self._inquiry(job, case), self._scene.verdicts[job.kind])
        if not self._office.moved[-1].state.owner:
            if job.patience_ms:
                heapq.heappush(self._events, _Event(job.at_ms + job.patience_ms, _What.LEAVES, 0, case))
            for wake_ms in self._policy.wakes_ms:
                heapq.heappush(self._events, _Event(job.at_ms + wake_ms, _What.LOOK, 0, case))
        return fate

    def _happen(self, event: _Event) -> None:
        self._ended_ms = max(self._ended_ms, event.at_ms)
        match event.what:
            case _What.DONE:
                self._finish(CaseId(event.name), event.number)
            case _What.PRESENCE:
                presence, _, advisor = event.name.partition(" ")
                self._office.present(AdvisorId(advisor), Presence(presence))
            case _What.LEAVES:
                self._leave(CaseId(event.name))
            case _What.LOOK:
                self._office.look(CaseId(event.name))
            case _What.ACCEPT:
                case, _, advisor = event.name.partition(" ")
                self._office.accept(CaseId(case), AdvisorId(advisor), event.number)

    def _finish(self, case: CaseId, turn: int) -> None:
        work = self._work.get(case)
        if work is None or work.turn != turn:
            return
        work.fate.worked_ms += self._now_ms - work.since_ms
        del self._work[case]
        self._office.resolve(case, by=AdvisorId(work.fate.advisor))

    def _leave(self, case: CaseId) -> None:
        work = self._work.get(case)
        if work is None or work.fate.waited_ms >= 0:
            return
        work.fate.waited_ms = self._now_ms - work.fate.at_ms
        work.fate.has_left = True
        del self._work[case]
        self._office.resolve(case)

    # -- what acts have changed

    def _take_up(self) -> None:
        moved, self._office.moved = self._office.moved, []
        for held in moved:
            work, state = self._work.get(held.state.id), held.state
            if work is None:
                continue
            if state.state is CaseStatus.ASSIGNED:
                if work.since_ms < 0:
                    self._begin(held, work)
            elif work.since_ms >= 0:
                self._break_off(work)
            # An act that leaves an offer as it is moves the case too: its offers are accepted when they are made.
            elif state.state is CaseStatus.OFFERED and state.offers[0].ver == state.ver:
                at_ms = self._now_ms + round(self._case.accept_s * 1000)
                for offer in state.offers:
                    heapq.heappush(self._events, _Event(at_ms, _What.ACCEPT, offer.ver, f"{state.id} {offer.advisor}"))

    def _begin(self, held: Held, work: _Work) -> None:
        if work.fate.waited_ms < 0:
            work.fate.waited_ms = self._now_ms - work.fate.at_ms
        work.fate.advisor = held.state.owner
        work.since_ms = self._now_ms
        work.pace = self._slower(AdvisorId(held.state.owner))
        work.due_ms = self._now_ms + max(1, round(work.left_ms * work.pace))
        heapq.heappush(self._events, _Event(work.due_ms, _What.DONE, work.turn, held.state.id))

    def _break_off(self, work: _Work) -> None:
        """The work rests: what is left of it is done later."""
        work.left_ms = round((work.due_ms - self._now_ms) / work.pace)
        work.fate.worked_ms += self._now_ms - work.since_ms
        work.since_ms = -1
        work.turn += 1

    def _slower(self, advisor: AdvisorId) -> float:
        worker, member = self._workers[advisor], self._office.roster.get(advisor)
        if member is None or not worker.slowdown:
            return 1.0
        at_hand = sum(item.kind is WorkKind.CASE for item in member.state.work.values())
        return 1 + worker.slowdown * max(0, at_hand - 1)

    # -- time

    @property
    def _now_ms(self) -> int:
        return self._office.now_ms - self._starts_ms

    def _move_to(self, at_ms: int) -> None:
        self._office.now_ms = self._starts_ms + at_ms

    def _inquiry(self, job: Job, case: CaseId) -> Inquiry:
        return Inquiry(
            id=InquiryId(case),
            pool=POOL,
            account=_ACCOUNT,
            channel=self._channels[job.kind],
            conversation=ConversationId(case),
            customer=_STRANGER,
            reply_to=_NOWHERE,
            received_at_ms=self._office.now_ms,
        )
