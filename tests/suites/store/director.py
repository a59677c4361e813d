"""Plays a script: what becomes of the intents, and what goes wrong on the way."""

from collections import deque
from collections.abc import Awaitable, Callable

import msgspec

from router.contract.advisor import Presence
from router.contract.ids import AdvisorId
from router.contract.plan import Candidate, Placing, Plan
from router.store import acts
from router.store.acts import AnyAct, CaseAct, Fence
from router.store.marks import Level
from router.store.memory import MemoryStore
from tests.suites.acts_strategies import PEOPLE, Dice, Intent
from tests.suites.store.bench import POOL, Bench
from tests.suites.store.requests import PARTITION, Requests


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """What is done to each store: acts in one call (``newer``: while the state is of a newer format), or ``else_``."""

    acts: tuple[AnyAct, ...] = ()
    newer: bool = False
    else_: Callable[[Bench], Awaitable[object]] | None = None

    async def perform(self, bench: Bench) -> object:
        """Do it; the answers, to be compared."""
        if self.else_ is not None:
            return await self.else_(bench)
        if self.newer:
            await bench.set_format(POOL, 99)
        outcomes = list(await bench.store.apply(self.acts))
        if self.newer:
            await bench.set_format(POOL, 1)
        return outcomes


class Director(Requests):
    """Remembers what callers know besides: acts not yet sent, and acts sent before."""

    def __init__(self, store: MemoryStore) -> None:
        super().__init__(store)
        self._held: deque[AnyAct] = deque()
        self._sent: deque[AnyAct] = deque(maxlen=8)

    def opening(self) -> list[Step]:
        """Advisors of different size, online, and some cases."""
        budgets = {"ann": 100, "bob": 60, "cho": 60, "dan": 30}
        made = [
            self._act(acts.ProfileAct, Dice(0), advisor=name, budget=budget, profile="{}", caps={"chat": 2})
            for name, budget in budgets.items()
        ]
        online = [self._act(acts.PresenceAct, Dice(0), advisor=name, presence=Presence.ONLINE) for name in budgets]
        # Each of these acts stamps once; whom the matcher has yet to serve would be handed nothing.
        served = [
            self._act(acts.Done, Dice(0), item=f"a|{name}", stamp=len(made) + n)
            for n, name in enumerate(budgets, start=1)
        ]
        return [Step(acts=(act,)) for act in (*made, *online, *served, *self._opened())]

    def _opened(self) -> list[AnyAct]:
        """One case with Ann, one that rings at Bob and Cho, two that wait."""
        # A profile and a coming online each make a new eligibility.
        judged = {name: Candidate(advisor=AdvisorId(name), elig=2) for name in PEOPLE}
        hand = Placing(candidates=(judged["ann"],), auto_accept=True)
        ring = Placing(candidates=(judged["bob"], judged["cho"]), ring=2, offer_deadline_ms=self.now + 20_000)
        placings = (hand, ring, Placing(), Placing())
        self.talks |= {f"t{n}" for n in range(len(placings))}
        self.cases |= {f"o{n}" for n in range(len(placings))}
        opened = []
        for n, placing in enumerate(placings):
            members = {"case": f"o{n}", "conversation": f"t{n}", "inquiry": f"o{n}", "message": "m", "channel": "chat"}
            plan = Plan(ver=0, class_key=f"k{n}", score=1)
            opened.append(self._act(acts.Admit, Dice(0), units=30, plan=plan, placing=placing, **members))
        return opened

    def step(self, intent: Intent) -> Step | None:
        """What the intent comes to; None when nothing is sent (its caller dies, or waits)."""
        dice = Dice(intent.roll)
        match intent.kind:
            case "pass":
                return self._pass(dice)
            case "epochs":
                return self._take_epoch()
            case "applied":
                return self._applied(intent, dice)
            case "trim":
                return self._trim(intent, dice)
            case "press":
                return self._press(dice)
            case "held":
                return Step(acts=(self._held.popleft(),)) if self._held else None
            case "again":
                return Step(acts=(self._sent[intent.case % len(self._sent)],)) if self._sent else None
        return self._twisted(self.make(intent, dice), dice)

    def _twisted(self, act: AnyAct, dice: Dice) -> Step | None:
        if dice.one_in(20):
            act = msgspec.structs.replace(act, gen=self.pool.gen + dice.pick((1, -1)))
        if dice.one_in(20):
            act = msgspec.structs.replace(
                act, now_ms=self.now + dice.pick((90_000, 90_000, 90_000, 5_001, 5_000, -800))
            )
        if isinstance(act, CaseAct) and dice.one_in(20):
            act = msgspec.structs.replace(act, case="nobody")
        if dice.one_in(15):
            self._held.append(act)
            return None
        self._sent.append(act)
        return Step(acts=(act, act) if dice.one_in(5) else (act,), newer=dice.one_in(20))

    # -- not acts

    def _pass(self, dice: Dice) -> Step:
        self.now += dice.pick((1, 100, 1_000, 20_000, 60_000))
        now = self.now
        return Step(else_=lambda bench: bench.set_witness(now))

    def _press(self, dice: Dice) -> Step:
        level = dice.pick((Level.FINE, Level.FINE, Level.SOFT, Level.HARD))
        now = self.now + dice.pick((0, 0, 0, 5_000, 5_001, -800))
        return Step(else_=lambda bench: bench.store.press(POOL, level, now))

    def _take_epoch(self) -> Step:
        self._epoch += 1
        return Step(else_=lambda bench: bench.store.take_epochs(POOL, [PARTITION]))

    def _applied(self, intent: Intent, dice: Dice) -> Step:
        epoch, offset = self._epoch - dice.one_in(4), intent.case * 2
        fence, is_over = Fence(partition=PARTITION, epoch=epoch, offset=offset), dice.one_in(3)

        async def note(bench: Bench) -> object:
            await bench.store.applied(POOL, {PARTITION: (epoch, offset)})
            await bench.store.hand_out(POOL, {PARTITION: (epoch, offset + 3)})
            counted = await bench.store.attempt(POOL, fence)
            if is_over:
                await bench.store.survived(POOL, fence)
            return counted, await bench.store.handed_out(POOL, [PARTITION])

        return Step(else_=note)

    def _trim(self, intent: Intent, dice: Dice) -> Step:
        upto = max(0, self.pool.number - intent.case)
        is_stale, is_seen, is_given_up = dice.one_in(4), dice.one_in(2), dice.one_in(3)

        async def trim(bench: Bench) -> object:
            seen = await bench.store.lease(POOL)
            mine = await (bench.store.take_over(POOL, seen) if is_seen else bench.store.take(POOL))
            if mine is None:
                return None
            theirs = seen if is_stale else mine
            trimmed = await bench.store.trim(POOL, theirs, upto), await bench.store.relayed(POOL, 0)
            again = await bench.store.take_over(POOL, mine)
            given_up = is_given_up and await bench.store.release(POOL, theirs)
            return mine, trimmed, again, given_up, await bench.store.lease(POOL)

        return Step(else_=trim)
