"""What must hold in a pool after every act, whatever the act was."""

import msgspec
from msgspec.structs import replace

from router.contract.advisor import AdvisorState, Presence, Work, WorkKind
from router.contract.case import MOST_CONSULTS, CaseState, CaseStatus
from router.contract.plan import Placing
from router.store.acts import (
    Accept,
    Act,
    Admit,
    Assign,
    Escalate,
    Label,
    Outcome,
    Rejudge,
    Replan,
    Result,
    Unpark,
)
from router.store.marks import PUT_OFF
from router.store.memory.rows import AdvisorRow, CaseRow, PoolRows

_HOLDS_NOBODY = frozenset({CaseStatus.QUEUED, CaseStatus.PENDING, CaseStatus.RESOLVED})


_WEIGH = Admit | Label | Escalate | Rejudge | Replan


class _Before(msgspec.Struct, kw_only=True):
    """The pool as it was after the step before."""

    now_ms: int = 0
    stamp: int = 0
    number: int = 0
    change: int = 0
    cases: dict[str, CaseState] = {}
    advisors: dict[str, AdvisorState] = {}


class Watch:
    """Looks at a pool after each step, and remembers what it needs to compare."""

    def __init__(self, pool: PoolRows) -> None:
        self._pool = pool
        self._before = _Before()
        self._versions: dict[str, int] = {}
        self._admitted: dict[str, set[str]] = {}

    def check(self, act: Act | None = None, outcomes: list[Outcome] | None = None) -> None:
        """Raise ``AssertionError`` for the first promise that is broken."""
        for row in self._pool.cases.values():
            self._one_owner(row)
            self._in_line(row)
            self._steps(row, act)
        for person in self._pool.advisors.values():
            self._within_capacity(person, act)
            self._called(person)
            self._wraps_up(person)
        self._work_sets()
        self._lines()
        self._timers()
        self._numbers()
        if isinstance(act, Admit):
            self._once(act, outcomes or [])
        self._remember()

    # -- cases

    def _one_owner(self, row: CaseRow) -> None:
        assert row.offers or row.state is not CaseStatus.OFFERED, row
        self._consults(row)
        assert not (row.state in {CaseStatus.ASSIGNED, CaseStatus.PARKED, CaseStatus.PENDING} and not row.owner), row
        assert not (row.owner and row.state in {CaseStatus.QUEUED, CaseStatus.OFFERED, CaseStatus.RESOLVED}), row
        assert not (row.consults and row.state in _HOLDS_NOBODY | {CaseStatus.OFFERED}), row
        assert not (row.over and row.state in _HOLDS_NOBODY | {CaseStatus.PARKED}), row
        assert row.owner not in row.consults, row

    def _consults(self, row: CaseRow) -> None:
        """What rings of a case that somebody has is one consult, of somebody who isn't in on it yet."""
        if row.state is CaseStatus.OFFERED:
            assert all(offer.units is None for offer in row.offers), row
            return
        assert len(row.offers) <= (row.state in {CaseStatus.ASSIGNED, CaseStatus.PARKED}), row
        assert all(offer.units and offer.advisor not in {*row.consults, row.owner} for offer in row.offers), row
        assert len(row.consults) <= MOST_CONSULTS, row

    def _in_line(self, row: CaseRow) -> None:
        lines = [
            (key, score) for key, line in self._pool.lines.items() for score, case in line.first(999) if case == row.id
        ]
        if row.state is not CaseStatus.QUEUED:
            assert (lines, row.class_key) == ([], ""), row
            return
        assert lines == [(row.class_key, row.score)], row
        was = self._before.cases.get(row.id)
        if was is None or (was.class_key, was.score) != (row.class_key, row.score):
            assert self._stamped(f"k|{row.class_key}"), f"nobody was called to {row.class_key}"

    def _steps(self, row: CaseRow, act: Act | None) -> None:
        was = self._before.cases.get(row.id)
        if was is None:
            return
        assert row.ver >= was.ver, row
        lowered = isinstance(act, Escalate) and act.lower
        assert row.step >= was.step or lowered, row

    # -- advisors

    def _within_capacity(self, row: AdvisorRow, act: Act | None) -> None:
        """Nothing came to him above his capacity, but by an act that says so, and then the case says it too."""
        was = self._before.advisors.get(row.id)
        for case, entry in row.work.items():
            if entry.kind in {WorkKind.WRAP_UP, WorkKind.PARKED} or (was is not None and was.work.get(case) == entry):
                continue
            if _is_no_more(was, case, entry):
                continue
            if not row.snapshot().has_room(entry.units, entry.channel, besides=case):
                assert self._pool.cases[case].over, row  # type: ignore[index]  # a plain name
                assert _may_exceed(act, row.id), row

    def _called(self, row: AdvisorRow) -> None:
        """He was given room, skills or presence: the matcher hears of it."""
        was = self._before.advisors.get(row.id)
        if was is None:
            assert self._stamped(f"a|{row.id}"), row
            return
        gone = {case for case, item in was.work.items() if item.load > _taken(row, case)}
        is_back = set(was.away_from) - set(row.away_from)
        came = row.presence is Presence.ONLINE and (is_back or was.presence is not Presence.ONLINE)
        differs = (was.profile, was.budget, was.caps) != (row.profile, row.budget, row.caps)
        if gone or came or differs:
            assert self._stamped(f"a|{row.id}"), row
        assert row.ver >= was.ver, row
        shown = [(one.presence, one.profile, one.away_from) for one in (was, row)]
        assert row.elig > was.elig or shown[0] == shown[1], row
        assert not row.away_from or row.presence is not Presence.OFFLINE, row

    def _work_sets(self) -> None:
        """The advisors' work sets and the cases say the same."""
        by_cases: set[tuple[str, str, int, WorkKind]] = set()
        for row in self._pool.cases.values():
            kind = WorkKind.OFFER if row.state is CaseStatus.OFFERED else WorkKind.CONSULT_OFFER
            by_cases |= {(offer.advisor, row.id, offer.units or row.units, kind) for offer in row.offers}
            by_cases |= {(name, row.id, units, WorkKind.CONSULT) for name, units in row.consults.items()}
            if row.state is CaseStatus.ASSIGNED:
                by_cases.add((row.owner, row.id, row.units, WorkKind.CASE))
            if row.state is CaseStatus.PARKED:
                by_cases.add((row.owner, row.id, row.units, WorkKind.PARKED))
        by_advisors = {
            (person.id, case, entry.units, entry.kind)
            for person in self._pool.advisors.values()
            for case, entry in person.work.items()
            if entry.kind is not WorkKind.WRAP_UP
        }
        assert by_advisors == by_cases

    def _wraps_up(self, row: AdvisorRow) -> None:
        """What he wraps up ends by itself, and is no more than he had."""
        wrapping = {case: item for case, item in row.work.items() if item.kind is WorkKind.WRAP_UP}
        ends = {timer for timer in row.timers if timer.startswith("wrap_up|")}
        assert ends == {f"wrap_up|{case}" for case in wrapping}, row
        by_hand = {timer.removeprefix("park|") for timer in row.timers if timer.startswith("park|")}
        assert by_hand <= {case for case, item in row.work.items() if item.kind is WorkKind.PARKED}, row
        was = self._before.advisors.get(row.id)
        for case, item in wrapping.items():
            before = was.work.get(case) if was else None
            assert before is not None, row
            assert before.kind in {WorkKind.CASE, WorkKind.WRAP_UP}, row
            assert (before.units, before.channel) == (item.units, item.channel), row

    # -- lines, timers, numbers

    def _lines(self) -> None:
        for key, line in self._pool.lines.items():
            assert len(line), f"an empty line {key}"
            waiting = [(row.score, row.id) for row in self._pool.cases.values() if row.class_key == key]
            assert line.head() == min(waiting), key

    def _timers(self) -> None:
        armed = {
            (deadline, f"c|{row.id}|{timer}")
            for row in self._pool.cases.values()
            for timer, deadline in row.timers.items()
        } | {
            (deadline, f"a|{person.id}|{timer}")
            for person in self._pool.advisors.values()
            for timer, deadline in person.timers.items()
        }
        standing = {member: score for score, member in self._pool.timers.first(9_999)}
        assert standing.keys() == {member for _, member in armed}
        late = {member for deadline, member in armed if standing[member] != deadline}
        assert all(standing[member] > deadline for deadline, member in armed if member in late)
        # Only what tells may have been put off, for lack of memory.
        assert all(member.split("|", 2)[2].startswith(PUT_OFF) for member in late), late
        for row in self._pool.cases.values():
            ringing = {f"offer|{offer.ver}" for offer in row.offers}
            assert {timer for timer in row.timers if timer.startswith("offer|")} == ringing, row

    def _numbers(self) -> None:
        pool, before = self._pool, self._before
        assert pool.now_ms >= before.now_ms
        fresh = [entry for entry in pool.outbox if entry.number > before.number]
        assert [entry.number for entry in fresh] == list(range(before.number + 1, pool.number + 1))
        for entry in fresh:
            if entry.case is not None:
                assert entry.case.ver == self._versions.get(entry.case.id, 0) + 1, entry
                self._versions[entry.case.id] = entry.case.ver
                if entry.final:
                    del self._versions[entry.case.id]
        assert {row.id: row.ver for row in pool.cases.values()} == self._versions
        changes = [change for change in pool.changes if change.number > before.change]
        assert [change.number for change in changes] == list(range(before.change + 1, pool.change + 1))
        newest = {change.advisor.id: change.advisor for change in changes}
        for name, told in newest.items():
            is_ = pool.advisors[name].snapshot()
            assert replace(told, timers={}) == replace(is_, timers={})

    def _once(self, act: Admit, outcomes: list[Outcome]) -> None:
        """An inquiry is taken once while its case is there."""
        taken = {Result.QUEUED, Result.OFFERED, Result.ASSIGNED, Result.RETURNED, Result.APPENDED}
        live = {row.conversation for row in self._pool.cases.values()}
        self._admitted = {talk: ids for talk, ids in self._admitted.items() if talk in live}
        for outcome in outcomes:
            if outcome.result in taken:
                ids = self._admitted.setdefault(act.conversation, set())
                assert act.inquiry not in ids, act
                ids.add(act.inquiry)

    def _stamped(self, item: str) -> bool:
        _, stamp = self._pool.work.get(item, (0, 0))
        return stamp > self._before.stamp

    def _remember(self) -> None:
        pool = self._pool
        self._before = _Before(
            now_ms=pool.now_ms,
            stamp=pool.stamp,
            number=pool.number,
            change=pool.change,
            cases={row.id: row.snapshot() for row in pool.cases.values()},
            advisors={row.id: row.snapshot() for row in pool.advisors.values()},
        )


def _is_no_more(was: AdvisorState | None, case: str, entry: Work) -> bool:
    """Whether he had it so before, though his budget was cut since: it rang and is a consult now, or grew lighter."""
    before = was.work.get(case) if was else None
    if before is None:
        return False
    joined = before.kind is WorkKind.CONSULT_OFFER and entry == replace(before, kind=WorkKind.CONSULT)
    return joined or (before.kind is entry.kind and before.units > entry.units)


def _taken(row: AdvisorRow, case: str) -> int:
    item = row.work.get(case)
    return item.load if item else 0


def _may_exceed(act: Act | None, advisor: str) -> bool:
    """Whether the act may put a case above that advisor's capacity. What rang already may be accepted though his
    budget was cut since; and what he has may be found to weigh more."""
    if isinstance(act, _WEIGH) and act.plan.units:
        return True
    if isinstance(act, Assign | Unpark):
        return act.over
    placing = getattr(act, "placing", Placing())
    return isinstance(act, Accept) or any(one.advisor == advisor and one.over for one in placing.candidates)
