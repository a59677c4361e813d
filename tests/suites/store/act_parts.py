"""What random acts are put together from."""

from collections.abc import Collection
from typing import Any, Final

from router.contract.case import CaseStatus
from router.contract.plan import Candidate, Placing, Plan, Taken
from router.store import acts
from router.store.acts import Act, AnyAct, PlannedAct
from router.store.memory import MemoryStore
from router.store.memory.rows import AdvisorRow, CaseRow, PoolRows
from router.store.memory.txn import OPEN
from tests.suites.acts_strategies import PEOPLE, Dice, Intent
from tests.suites.store.bench import POOL, START_MS

CLASSES: Final = ("k0", "k1", "k2", "k3", "k4")
CASE_TIMERS: Final = ("warn.first|0", "breach.first|0", "step|1", "cooldown|0", "follow_up|0", "relax|0")
_OWN_TIMERS: Final = ("offer|", "wrap_up|", "park|")
_S: Final = CaseStatus

# In which states an act makes sense, where that isn't every open one.
_APT: Final[dict[type[Act], Collection[CaseStatus]]] = {
    acts.Accept: {_S.OFFERED, _S.ASSIGNED},
    acts.Decline: {_S.OFFERED, _S.ASSIGNED, _S.PARKED},
    acts.Expire: {_S.OFFERED, _S.ASSIGNED, _S.PARKED},
    acts.Consult: {_S.ASSIGNED},
    acts.HandBack: {_S.ASSIGNED, _S.PARKED},
    acts.Park: {_S.ASSIGNED, _S.PARKED},
    acts.Unpark: {_S.PARKED, _S.PENDING},
    acts.Pend: {_S.ASSIGNED, _S.PARKED, _S.PENDING},
    acts.FollowUp: {_S.ASSIGNED, _S.PARKED, _S.PENDING},
    acts.Close: {_S.RESOLVED},
    acts.Resolve: {*OPEN, _S.RESOLVED},
}
_OF_OFFERS: Final = frozenset({acts.Accept, acts.Decline, acts.Expire})


class Parts:
    """Parts that mostly fit the store as it is. ``now`` is the callers' clock; ``talks`` and ``cases`` are all the
    names that were ever used."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self.now = START_MS
        self.talks: set[str] = set()
        self.cases: set[str] = set()
        self._serial = 0

    @property
    def pool(self) -> PoolRows:
        return self._store._pools[POOL]

    def _act(self, kind: type[Act], dice: Dice, **members: Any) -> AnyAct:
        self._serial += 1
        op = f"key:{self._serial - (dice.pick((1, 2, 3)) if dice.one_in(6) else 0)}" if dice.one_in(2) else ""
        base = {"pool": POOL, "gen": self.pool.gen, "now_ms": self.now, "op": op, "actor": dice.pick(("", "sup"))}
        return kind(**{**base, **members})  # type: ignore[return-value]  # all kinds here are of the union

    def _plan_act(self, kind: type[PlannedAct], row: CaseRow | None, dice: Dice, **members: Any) -> AnyAct:
        base = {
            "case": row.id if row else "nobody",
            "plan": self._plan(row, dice),
            "claim": self._claim(row, dice),
            "notices": dice.pick(((), (), ('{"n":1}',))),
        }
        return self._act(kind, dice, **{**base, **members})

    def _plan(self, row: CaseRow | None, dice: Dice) -> Plan:
        names = dice.shuffled(CASE_TIMERS)[: dice.pick((0, 0, 1, 2))]
        deadlines = (0, self.now, self.now + 100, self.now + 20_000)
        return Plan(
            ver=(row.ver if row else 0) - dice.one_in(12),
            class_key=dice.pick(CLASSES),
            crowded_key=dice.pick(("rest", "rest", "")),
            score=dice.pick((1, 2, 3)),
            detail=dice.pick((None, f'{{"d":{self._serial}}}')),
            why=dice.pick((None, f'"{self._serial}"')),
            timers={name: dice.pick(deadlines) for name in names},
            taken=self._taken(dice),
            units=dice.pick((0, 0, 0, 10, 30, 60)),
        )

    def _taken(self, dice: Dice) -> Taken | None:
        timers = {dice.pick(CASE_TIMERS): dice.pick((0, self.now + 100))}
        return Taken(detail=f'{{"taken":{self._serial}}}', timers=timers) if dice.one_in(4) else None

    def _claim(self, row: CaseRow | AdvisorRow | None, dice: Dice) -> tuple[str, int] | None:
        if dice.one_in(12):
            return ("step|1", 7)
        # The timers of offers and wrap-ups are claimed by their own acts alone: any other would leave them for ever.
        timers = sorted(timer for timer in (row.timers if row else ()) if not timer.startswith(_OWN_TIMERS))
        if row is not None and timers and dice.one_in(3):
            timer = dice.pick(timers)
            return (timer, row.timers[timer])
        return None

    def _placing(self, dice: Dice, row: CaseRow | None = None) -> Placing:
        names = [*dice.shuffled([*PEOPLE, "nobody"]), "ann"][: dice.pick((2, 0, 1, 3, 6))]
        if row is not None and row.owner and dice.one_in(2):
            names.insert(0, row.owner)
        return Placing(
            candidates=tuple(
                Candidate(advisor=name, elig=self._elig(name, dice), over=dice.one_in(6))  # type: ignore[arg-type]  # a plain name
                for name in names
            ),
            offer_deadline_ms=self.now + dice.pick((20_000, 100, 1)),
            auto_accept=dice.pick((False, True)),
            ring=dice.pick((1, 1, 2, 3)),
        )

    def _elig(self, name: str, dice: Dice) -> int:
        row = self.pool.advisors.get(name)  # type: ignore[call-overload]  # a plain name
        return (row.elig if row else 0) - dice.one_in(10)

    def _case(self, kind: type[Act], intent: Intent, dice: Dice) -> CaseRow | None:
        rows = [self.pool.cases[name] for name in sorted(self.pool.cases)]
        apt = [row for row in rows if row.state in _APT.get(kind, OPEN)]
        if kind is acts.HandBack or (kind is acts.Consult and dice.one_in(3)):
            apt = [row for row in apt if row.consults or row.offers] or apt
        if kind in _OF_OFFERS:
            # Mostly of a case that rings, be it as a consult.
            apt = [row for row in apt if row.offers] or apt
        found = apt if apt and not dice.one_in(5) else rows
        return found[intent.case % len(found)] if found else None

    def _owner(self, row: CaseRow | None, dice: Dice) -> str:
        return dice.pick(("", *PEOPLE)) if row is None or dice.one_in(6) else row.owner

    def _person(self, intent: Intent) -> str:
        return [*PEOPLE, "nobody"][intent.person]
