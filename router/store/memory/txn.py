"""The steps that acts are made of. The prelude of the Lua library has the same ones by the same names."""

from typing import Final

import msgspec

from router.contract.advisor import AdvisorState, Presence, Work, WorkKind
from router.contract.case import CaseState, CaseStatus
from router.contract.ids import AdvisorId, CaseId
from router.contract.plan import Plan
from router.store.acts import Act, Outcome, PlannedAct, Result
from router.store.marks import YIELDING, Level
from router.store.memory.rows import (
    KEPT_HISTORY,
    KEPT_MESSAGES,
    KEPT_OPERATIONS,
    AdvisorRow,
    Applied,
    CaseRow,
    Line,
    PoolRows,
)
from router.store.protocol import Change, OutboxEntry

OPEN: Final = frozenset(
    {CaseStatus.QUEUED, CaseStatus.OFFERED, CaseStatus.ASSIGNED, CaseStatus.PARKED, CaseStatus.PENDING}
)
LOOKING: Final = frozenset({CaseStatus.QUEUED, CaseStatus.OFFERED})
_AT_HAND: Final = frozenset({WorkKind.CASE, WorkKind.OFFER, WorkKind.PARKED})
RELAX: Final = "relax|0"
"""The timer of the next step of relaxation: only for a case that nobody has, which a plan can't foresee."""
# What is beside the owner never puts anybody above his capacity.
_BESIDE: Final = frozenset({WorkKind.CONSULT, WorkKind.CONSULT_OFFER})


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """What goes out with an act's event."""

    replies: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    handovers: tuple[str, ...] = ()
    final: bool = False
    reason: str = ""


class Txn:
    """One act in progress. Cases change at once; advisors, once at the end however often they were touched."""

    def __init__(self, pool: PoolRows, act: Act, name: str) -> None:
        self.pool = pool
        self.act = act
        self.name = name
        self.now = pool.now_ms
        self.level = pool.level_now()
        self.is_short = self.level >= Level.SOFT and type(act) in YIELDING
        self._touched: dict[AdvisorId, AdvisorRow] = {}
        self._shown: dict[AdvisorId, AdvisorState] = {}
        self._present: list[AdvisorRow] = []
        self._notes: tuple[str, ...] = ()

    # -- answers

    def refuse(self, result: Result, row: CaseRow | None = None, *, head: str = "") -> Outcome:
        """Nothing was written: the case as found, and the advisors who were looked at."""
        return Outcome(result=result, case=row.snapshot() if row else None, advisors=self._advisors(), head=head)

    def repeated(self, row: CaseRow | AdvisorRow) -> Outcome | None:
        """The answer this operation id got before, with the state as it is now."""
        seen = next((item for item in row.operations if item.op == self.act.op), None) if self.act.op else None
        if seen is None:
            return None
        result = Result(seen.result)
        if isinstance(row, CaseRow):
            return Outcome(result=result, case=row.snapshot(), number=seen.number, repeated=True)
        return Outcome(result=result, advisors=(row.snapshot(),), number=seen.number, repeated=True)

    def settle(
        self,
        row: CaseRow,
        result: Result,
        *,
        about: str = "",
        taken: str = "",
        sent: Sent = Sent(),  # noqa: B008 - frozen
    ) -> Outcome:
        """End an act on a case: history, changed advisors, event with the post-state, operation id."""
        row.changed_at_ms = self.now
        if row.state not in LOOKING and RELAX in row.timers:
            self.arm(row, {RELAX: 0})
        line = f"{row.ver}|{self.name}|{result}|{self.now}|{self.act.actor}|{about}"
        row.history = [*row.history, line][-KEPT_HISTORY:]
        self.flush()
        for advisor in self._present:
            self.emit(advisor.presence, about=advisor.id, advisor=self._shown[advisor.id])
        state = row.snapshot()
        number = self.emit(result, about=about, case=state, sent=sent)
        self.remember(row, result, number)
        return Outcome(result=result, case=state, advisors=self._advisors(), number=number, taken=taken)

    def remember(self, row: CaseRow | AdvisorRow, result: Result, number: int) -> None:
        if self.act.op:
            row.operations = [*row.operations, Applied(self.act.op, result, number)][-KEPT_OPERATIONS:]

    def emit(
        self,
        outcome: str,
        *,
        about: str = "",
        case: CaseState | None = None,
        advisor: AdvisorState | None = None,
        sent: Sent = Sent(),  # noqa: B008 - frozen
    ) -> int:
        """Append to the outbox; the number of the entry."""
        self.pool.number += 1
        self.pool.outbox.append(
            OutboxEntry(
                number=self.pool.number,
                gen=self.pool.gen,
                kind=self.name,
                at_ms=self.now,
                outcome=outcome,
                actor=self.act.actor,
                about=about,
                reason=sent.reason or self.act.reason,
                case=case,
                advisor=advisor,
                final=sent.final,
                replies=sent.replies,
                notices=sent.notices,
                handovers=sent.handovers,
                notes=self._notes if case is not None else (),
                op=self.act.op if case is not None else "",
            )
        )
        return self.pool.number

    def _advisors(self) -> tuple[AdvisorState, ...]:
        return tuple(self._shown.values())

    # -- cases

    def current(self, act: PlannedAct) -> CaseRow | Outcome:
        """The case as the plan knows it, or the answer that ends the act: absent, repeated, full, gone, conflict."""
        row = self.pool.cases.get(act.case)
        if row is None:
            return self.refuse(Result.ABSENT)
        if again := self.repeated(row):
            return again
        if self.is_short:
            return self.refuse(Result.FULL, row)
        if act.claim and row.timers.get(act.claim[0]) != act.claim[1]:
            return self.refuse(Result.GONE, row)
        return self.refuse(Result.CONFLICT, row) if act.plan.ver != row.ver else row

    def begin(self, row: CaseRow, plan: Plan | None = None, claim: tuple[str, int] | None = None) -> None:
        """The first write of an act on a case: its version, then the claim is spent, then what the plan says.

        The plan comes last: the end of one cool-down arms the same timer for the next.
        """
        row.ver += 1
        if claim:
            self.arm(row, {claim[0]: 0})
        if plan is not None:
            self.write(row, plan)

    def write(self, row: CaseRow, plan: Plan) -> None:
        if plan.detail is not None:
            row.detail = plan.detail
        if plan.why is not None:
            row.why = plan.why
        self.arm(row, plan.timers)

    def arm(self, row: CaseRow | AdvisorRow, timers: dict[str, int]) -> None:
        """Arm {``kind|n``: deadline}; a deadline of 0 disarms. Arming again moves it."""
        kind = "c" if isinstance(row, CaseRow) else "a"
        for timer, deadline in timers.items():
            member = f"{kind}|{row.id}|{timer}"
            if deadline:
                row.timers[timer] = deadline
                self.pool.timers.set(member, deadline)
            else:
                row.timers.pop(timer, None)
                self.pool.timers.drop(member)

    def say(self, row: CaseRow, message: str) -> None:
        row.messages = [*row.messages, message][-KEPT_MESSAGES:]

    def note(self, row: CaseRow, message: str) -> None:
        """An internal note: besides, it goes out with the event, as no other topic has it."""
        self.say(row, message)
        self._notes = (message,)

    # -- the waiting line

    def enqueue(self, row: CaseRow, plan: Plan) -> None:
        """Let the case wait in the plan's class (or the crowded one), and call the matcher to that class."""
        self.line_up(row, plan)
        row.state = CaseStatus.QUEUED
        row.owner = ""
        row.over = False

    def line_key(self, plan: Plan) -> str:
        """The class in which a case of that plan would wait now."""
        crowded = len(self.pool.lines) >= self.pool.max_classes and plan.class_key not in self.pool.lines
        return plan.crowded_key if crowded and plan.crowded_key else plan.class_key

    def line_up(self, row: CaseRow, plan: Plan) -> None:
        row.class_key = self.line_key(plan)
        row.score = plan.score
        self.pool.lines.setdefault(row.class_key, Line()).set(row.id, row.score)
        self.stamp(f"k|{row.class_key}")

    def dequeue(self, row: CaseRow) -> None:
        """Take the case out of its line; does nothing when it isn't in one."""
        line = self.pool.lines.get(row.class_key)
        if line is not None:
            line.drop(row.id)
            if not len(line):
                del self.pool.lines[row.class_key]
        row.class_key = ""

    def stamp(self, item: str) -> None:
        """Ask for the matcher: a fresh stamp, the place of the first."""
        self.pool.stamp += 1
        place, _ = self.pool.work.get(item, (self.pool.stamp, 0))
        self.pool.work[item] = (place, self.pool.stamp)

    # -- capacity

    def reserve(self, row: CaseRow, advisor: AdvisorRow, kind: WorkKind, *, units: int | None = None) -> None:
        """Put the case into the advisor's work set, or change what it is there for. The matcher is called to him when
        he has more room by that: he wrapped it up, and is asked in for less."""
        size = row.units if units is None else units
        before = advisor.work.get(row.id)
        self._end_timers(row.id, advisor)
        if kind not in _BESIDE and not advisor.has_room(size, row.channel, besides=row.id):
            row.over = True
        after = advisor.work[row.id] = Work(units=size, channel=row.channel, kind=kind)
        advisor.idle_since_ms = self.now
        self.touch(advisor)
        if before is not None and before.load > after.load:
            self.stamp(f"a|{advisor.id}")

    def weigh(self, row: CaseRow, units: int) -> None:
        """The case takes so much from now on (0: as before), of whoever has it or is offered it, too. Nobody loses it
        by that: where it doesn't fit any more, it is ``over``. What he lends as one who was asked in stays."""
        was = row.units
        if units in (0, was):
            return
        row.units = units
        is_over = False
        for name in (row.owner, *(offer.advisor for offer in row.offers)):
            person = self.pool.advisors.get(AdvisorId(name))
            item = person.work.get(row.id) if person else None
            if person is None or item is None or item.kind not in _AT_HAND:
                continue
            person.work[row.id] = Work(units=units, channel=item.channel, kind=item.kind)
            self.touch(person)
            if item.kind is WorkKind.PARKED:
                continue
            is_over = is_over or not person.has_room(units, row.channel, besides=row.id)
            if units < was:
                self.stamp(f"a|{person.id}")
        row.over = is_over and (row.over or units > was)

    def release(self, row: CaseRow, advisor: AdvisorId) -> None:
        """Take the case out of an advisor's work set and call the matcher to him; idempotent. What he wraps up
        stays: it has its own end."""
        person = self.pool.advisors.get(advisor)
        item = person.work.get(row.id) if person else None
        if person is not None and item is not None and item.kind is not WorkKind.WRAP_UP:
            self.free(person, row.id)

    def free(self, advisor: AdvisorRow, case: CaseId) -> None:
        """An entry of his work set goes: the matcher is called to him."""
        self._end_timers(case, advisor)
        advisor.work.pop(case, None)
        advisor.idle_since_ms = self.now
        self.touch(advisor)
        self.stamp(f"a|{advisor.id}")

    def wrap_up(self, row: CaseRow, until_ms: int) -> None:
        """What the case takes of its owner stays taken until then; nothing when it takes nothing."""
        person = self._turn(row, WorkKind.WRAP_UP)
        if person is not None:
            self.arm(person, {wrap_up_timer(row.id): until_ms})

    def park(self, row: CaseRow, until_ms: int) -> None:
        """The case stays in its owner's work set and takes nothing of him, by hand until then if it isn't 0: the
        matcher is called to him."""
        person = self._turn(row, WorkKind.PARKED) or self.pool.advisors.get(AdvisorId(row.owner))
        if person is not None:
            self.arm(person, {park_timer(row.id): until_ms})
            self.touch(person)
            self.stamp(f"a|{person.id}")

    def _turn(self, row: CaseRow, kind: WorkKind) -> AdvisorRow | None:
        """The owner, with the case at hand turned into something else; None when he hasn't it at hand."""
        person = self.pool.advisors.get(AdvisorId(row.owner))
        item = person.work.get(row.id) if person else None
        if person is None or item is None or item.kind is not WorkKind.CASE:
            return None
        person.work[row.id] = Work(units=item.units, channel=item.channel, kind=kind)
        person.idle_since_ms = self.now
        self.touch(person)
        return person

    def _end_timers(self, case: CaseId, advisor: AdvisorRow) -> None:
        ended = {timer: 0 for timer in (wrap_up_timer(case), park_timer(case)) if timer in advisor.timers}
        self.arm(advisor, ended)

    def withdraw(self, row: CaseRow, *, but: str = "") -> None:
        """End all offers of the case but one advisor's."""
        for offer in row.offers:
            self.arm(row, {f"offer|{offer.ver}": 0})
            if offer.advisor != but:
                self.release(row, offer.advisor)
        row.offers = []

    def let_go(self, row: CaseRow) -> None:
        """Free everybody the case takes up: line, offers, owner, consulted advisors."""
        self.dequeue(row)
        self.withdraw(row)
        if row.owner:
            self.release(row, AdvisorId(row.owner))
        for advisor in row.consults:
            self.release(row, AdvisorId(advisor))
        row.consults = {}
        row.owner = ""

    def touch(self, advisor: AdvisorRow) -> None:
        self._touched[advisor.id] = advisor

    def show(self, advisor: AdvisorRow) -> None:
        """Let the answer carry his state."""
        self._shown[advisor.id] = advisor.snapshot()

    def flush(self) -> None:
        """One version and one entry in ``changes`` for each advisor touched."""
        for advisor in self._touched.values():
            advisor.ver += 1
            self.pool.change += 1
            self.show(advisor)
            self.pool.changes.append(
                Change(number=self.pool.change, gen=self.pool.gen, advisor=self._shown[advisor.id])
            )
        self._touched = {}

    def set_presence(self, advisor: AdvisorRow, presence: Presence, reason: str) -> None:
        """A new presence is a new eligibility; coming online starts his idle time and calls the matcher."""
        if presence is Presence.ONLINE and advisor.presence is not Presence.ONLINE:
            advisor.online_since_ms = self.now
            advisor.idle_since_ms = self.now
            advisor.missed = 0
        advisor.presence = presence
        advisor.reason = reason
        advisor.elig += 1
        self._present.append(advisor)
        self.touch(advisor)
        if presence is Presence.ONLINE:
            self.stamp(f"a|{advisor.id}")


def wrap_up_timer(case: CaseId) -> str:
    """The timer of an advisor that ends his wrap-up of a case."""
    return f"wrap_up|{case}"


def park_timer(case: CaseId) -> str:
    """The timer of an advisor until which he has parked a case by hand."""
    return f"park|{case}"


def forget(pool: PoolRows, case: CaseId) -> None:
    """Remove a case and its timers."""
    row = pool.cases.pop(case)
    for timer in row.timers:
        pool.timers.drop(f"c|{case}|{timer}")
