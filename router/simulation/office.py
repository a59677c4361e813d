"""An office in virtual time: the real engine decides, the real store applies, and nobody waits for a server."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from router.contract.advisor import Presence, Profile, write_profile
from router.contract.case import CaseDetail, CaseState, read_detail
from router.contract.ids import AdvisorId, CaseId, PoolId
from router.contract.messages import Inquiry
from router.contract.plan import Candidate, Plan
from router.engine import capacity, offers, plans
from router.engine.decide import Waiting
from router.engine.parking import gives_way, to_resume
from router.engine.plans import Scene
from router.engine.roster import Roster
from router.simulation import timers
from router.simulation.errors import Refused
from router.simulation.policies import Choice, Policy
from router.store.acts import (
    Accept,
    Admit,
    AnyAct,
    Done,
    Due,
    Match,
    Outcome,
    Park,
    PresenceAct,
    ProfileAct,
    Resolve,
    Result,
    Unpark,
)
from router.store.memory import MemoryStore, reading, relaying
from router.store.memory.txn import forget
from rules import Rulebook, Verdict

POOL: Final = PoolId("simulation")
_NO_MARK: Final = 1 << 60
_TRIM_EVERY: Final = 2_000
_GOOD: Final = frozenset({Result.QUEUED, Result.OFFERED, Result.ASSIGNED, Result.RETURNED, Result.DONE})


class Held:
    """A case that is not closed, as the last act left it."""

    def __init__(self, state: CaseState) -> None:
        self.state = state
        self._known: tuple[str, CaseDetail] | None = None

    @property
    def detail(self) -> CaseDetail:
        """What the state's detail says; read when it is another than the one known."""
        if self._known is None or self._known[0] is not self.state.detail:
            self._known = (self.state.detail, read_detail(self.state.detail))
        return self._known[1]

    def know(self, text: str | None, detail: CaseDetail) -> None:
        """Spare the reading of a text that was written just now."""
        if text is self.state.detail:
            self._known = (self.state.detail, detail)


class Office:
    """One pool. ``now_ms`` is moved by who owns it; ``moved`` collects the cases that acts have changed, for him to
    take. Every act is one that a running service makes, computed by the engine."""

    def __init__(self, rulebook: Rulebook, policy: Policy, now_ms: int) -> None:
        self.rulebook = rulebook
        self.policy = policy
        self.now_ms = now_ms
        self.roster = Roster()
        self.held: dict[CaseId, Held] = {}
        self.moved: list[Held] = []
        self._store = MemoryStore(lambda: self.now_ms, outbox_mark=_NO_MARK)
        self._rows = self._store.made(POOL)
        self._lease = relaying.take(self._rows)

    # -- people

    def hire(self, advisor: AdvisorId, profile: Profile) -> None:
        """Make an advisor, offline."""
        text = write_profile(profile)
        self._do(ProfileAct(**self._common(), advisor=advisor, budget=profile.budget, caps=profile.caps, profile=text))

    def present(self, advisor: AdvisorId, presence: Presence) -> None:
        self._do(PresenceAct(**self._common(), advisor=advisor, presence=presence))

    # -- cases

    def admit(self, inquiry: Inquiry, verdict: Verdict) -> None:
        """Open a case for an inquiry that was judged, as intake does."""
        scene = self._scene()
        units = self.rulebook.units(inquiry.channel, verdict.labels)
        detail = plans.opened(inquiry, verdict, scene)
        state = plans.blank(inquiry, units, self.now_ms)
        waiting = plans.waiting_class(state, detail, scene)
        plan = plans.plan(state, detail, scene, waiting=waiting)
        tried = self.policy.first(self.roster, waiting, state.id, self.now_ms)
        act = Admit(
            **self._common(),
            case=state.id,
            conversation=inquiry.conversation,
            inquiry=inquiry.id,
            message="",
            channel=inquiry.channel,
            units=units,
            plan=plans.if_taken(plan, state, detail, scene) if tried else plan,
            placing=offers.placing(self._candidates(tried), waiting, self.rulebook, self.now_ms),
        )
        self._good(self._act(act))
        self.held[state.id].know(plan.detail, detail)

    def accept(self, case: CaseId, advisor: AdvisorId, offer_ver: int) -> bool:
        """An advisor takes an offer; whether it was still his to take."""
        held = self.held.get(case)
        if held is None:
            return False
        plan = plans.accepted(held.state, self._scene())
        act = Accept(**self._common(), case=case, advisor=advisor, offer_ver=offer_ver, plan=plan)
        return self._act(act).result is Result.ASSIGNED

    def resolve(self, case: CaseId, *, by: AdvisorId | None = None) -> None:
        """Its owner has done the work, or the customer has gone. Nobody writes again, so the case is forgotten at once:
        its reopen window would keep a million of them. Hence the plan says nothing of what becomes of its clocks."""
        held = self.held.pop(case)
        wrap_up_ms = capacity.wrap_up_until(held.state, self.rulebook, self.now_ms, by=by)
        plan = Plan(ver=held.state.ver)
        self._good(self._do(Resolve(**self._common(), case=case, plan=plan, advisor=by, wrap_up_ms=wrap_up_ms)))
        forget(self._rows, case)
        del self._rows.conversations[held.state.conversation]

    # -- timers

    @property
    def next_timer_ms(self) -> int | None:
        """When the next timer is due."""
        timers = self._rows.timers
        return timers.head()[0] if len(timers) else None

    def fire(self) -> None:
        """Serve what is due: warnings and breaches fire in the store, the rest is served here."""
        for claim in self._do(Due(**self._common())).claims:
            held = self.held.get(CaseId(claim.id)) if claim.subject == "c" else None
            if held is not None:
                held.state = self._rows.cases[held.state.id].snapshot()
            if claim.fired:
                continue
            if held is None:
                self._do(timers.of_advisor(claim, self._common()))
            else:
                scene, common = self._scene(), self._common()
                self._good(self._act(timers.of_case(claim, held.state, held.detail, scene, self.roster, common)))

    # -- the matcher's part

    def settle(self) -> None:
        """Serve the work items until none is left, in the order in which the matcher does."""
        while self._rows.work:
            # The rows keep the items in the order of their places.
            for item, (_, stamp) in tuple(self._rows.work.items()):
                kind, _, name = item.partition("|")
                self._serve(kind, name)
                self._do(Done(**self._common(), item=item, stamp=stamp))

    def look(self, case: CaseId) -> None:
        """Look at a waiting case's class once more."""
        held = self.held.get(case)
        if held is not None and held.state.class_key:
            self._serve("k", held.state.class_key)

    def _serve(self, kind: str, name: str) -> None:
        while self._rows.lines or kind == "a":
            heads = self._heads()
            advisor = AdvisorId(name) if kind == "a" else self._nominated(name, heads)
            if advisor is None:
                return
            choice = self.policy.next_case(self.roster, advisor, heads, self.now_ms) if heads else None
            if self._takes_up_again(advisor, choice):
                continue
            if choice is None:
                return
            for case in choice.park:
                self._move(Park, case)
            self._match(advisor, choice.head)

    def _takes_up_again(self, advisor: AdvisorId, choice: Choice | None) -> bool:
        """Whether he goes on with something parked: before anything but what it would be parked for again."""
        if choice is not None and gives_way(choice.head.waiting.channel, self.rulebook):
            return False
        member = self.roster.get(advisor)
        parked = to_resume(member.state) if member else None
        if parked is None:
            return False
        self._move(Unpark, parked)
        return True

    def _move(self, kind: type[Park | Unpark], case: CaseId) -> None:
        held = self.held[case]
        plan = plans.plan(held.state, held.detail, self._scene())
        self._good(self._act(kind(**self._common(), case=case, plan=plan)))

    def _nominated(self, class_key: str, heads: Iterable[Waiting]) -> AdvisorId | None:
        mine = next((head for head in heads if head.class_key == class_key), None)
        return self.policy.nominated(self.roster, mine, self.now_ms) if mine else None

    def _match(self, advisor: AdvisorId, head: Waiting) -> None:
        held, scene = self.held[head.case], self._scene()
        placing = offers.placing(self._candidates((advisor,)), head.waiting, self.rulebook, self.now_ms)
        plan = plans.if_taken(plans.plan(held.state, held.detail, scene), held.state, held.detail, scene)
        act = Match(**self._common(), case=head.case, plan=plan, class_key=head.class_key, placing=placing)
        self._good(self._act(act))

    def _heads(self) -> Sequence[Waiting]:
        lines = self._rows.lines
        return [
            Waiting(class_key=one.class_key, score_ms=one.score, case=one.case, length=len(lines[one.class_key]))
            for one in reading.heads(self._rows)
        ]

    def _candidates(self, advisors: Sequence[AdvisorId]) -> tuple[Candidate, ...]:
        members = [member for member in map(self.roster.get, advisors) if member is not None]
        return tuple([Candidate(advisor=one.state.id, elig=one.state.elig) for one in members])

    # -- acts

    def _act(self, act: AnyAct) -> Outcome:
        """Apply an act on a case."""
        outcome = self._do(act)
        if outcome.case is not None and outcome.result in _GOOD:
            held = self.held.setdefault(outcome.case.id, Held(outcome.case))
            held.state = outcome.case
            self.moved.append(held)
        return outcome

    @staticmethod
    def _good(outcome: Outcome) -> None:
        if outcome.result not in _GOOD:
            raise Refused(f"an act was refused ({outcome.result}), and nobody else acts here")

    def _do(self, act: AnyAct) -> Outcome:
        outcome = self._store.serve(act)
        for state in outcome.advisors:
            self.roster.apply(state)
        if len(self._rows.outbox) > _TRIM_EVERY:
            relaying.trim(self._rows, self._lease, self._rows.number, verified=True)
        return outcome

    def _scene(self) -> Scene:
        return Scene(rulebook=self.rulebook, now_ms=self.now_ms)

    def _common(self) -> dict[str, Any]:
        return {"pool": POOL, "gen": self._rows.gen, "now_ms": self.now_ms}
