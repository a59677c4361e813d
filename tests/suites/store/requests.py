"""One random act of each kind, made from an intent."""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from router.contract.advisor import Presence, WorkKind
from router.contract.case import CaseStatus
from router.contract.plan import Candidate
from router.store import acts
from router.store.acts import AnyAct, CaseAct, Fence, PlannedAct
from router.store.memory import MemoryStore
from router.store.memory.rows import CaseRow
from tests.suites.acts_strategies import PEOPLE, TALKS, Dice, Intent
from tests.suites.store.act_parts import CLASSES, Parts

PARTITION: Final = "inquiries.main/0"
_S: Final = CaseStatus


class Requests(Parts):
    """What callers ask for, by the kind of intent."""

    def __init__(self, store: MemoryStore) -> None:
        super().__init__(store)
        self._epoch = 0
        self._makers: dict[str, Callable[[Intent, Dice], AnyAct]] = {
            "admit": self._admit,
            "match": self._match,
            "accept": self._accept,
            "decline": lambda intent, dice: self._answer(acts.Decline, intent, dice),
            "expire": self._expire,
            "consult": self._consult,
            "close": self._close,
            "presence": self._presence,
            "profile": self._profile,
            "wrap_up": self._wrap_up,
            "due": lambda _, dice: self._act(acts.Due, dice, limit=dice.pick((10, 1)), retry_ms=dice.pick((1000, 1))),
            "done": self._done,
            "note": self._note,
        }
        self._planned: dict[str, tuple[type[PlannedAct], Callable[[CaseRow | None, Intent, Dice], dict[str, Any]]]] = {
            "assign": (acts.Assign, self._assign),
            "requeue": (acts.Requeue, lambda row, _, dice: {"placing": self._placing(dice, row)}),
            "transfer": (acts.Transfer, self._transfer),
            "hand_back": (acts.HandBack, self._hand_back),
            "park": (acts.Park, self._park),
            "unpark": (
                acts.Unpark,
                lambda row, _, dice: {"over": dice.one_in(4), "advisor": self._asker(row, dice)},
            ),
            "pend": (acts.Pend, lambda row, _, dice: {"advisor": self._owner(row, dice)}),
            "follow_up": (acts.FollowUp, lambda row, _, dice: {"advisor": self._owner(row, dice)}),
            "label": (acts.Label, lambda *_: {}),
            "reply": (acts.Reply, self._reply),
            "delivered": (acts.Delivered, lambda *_: {"reply": "r1", "state": "sent"}),
            "resolve": (acts.Resolve, self._resolve),
            "escalate": (acts.Escalate, self._escalate),
            "snooze": (acts.Snooze, lambda *_: {}),
            "rejudge": (acts.Rejudge, lambda _, __, dice: {"about": dice.pick(("", "relax 1"))}),
            "replan": (acts.Replan, lambda *_: {}),
            "move": (acts.Move, lambda *_: {"to_pool": "other", "handover": "{}"}),
        }

    def make(self, intent: Intent, dice: Dice) -> AnyAct:
        """The act that an intent means now."""
        if intent.kind in self._makers:
            return self._makers[intent.kind](intent, dice)
        kind, members = self._planned[intent.kind]
        row = self._case(kind, intent, dice)
        return self._plan_act(kind, row, dice, **members(row, intent, dice))

    # -- acts on cases

    def _admit(self, intent: Intent, dice: Dice) -> AnyAct:
        resting = [row.conversation for row in self.pool.cases.values() if row.state in {_S.PENDING, _S.RESOLVED}]
        talk: str = f"t{intent.case + TALKS * dice.one_in(3)}"
        if resting and dice.one_in(3):
            talk = dice.pick(sorted(resting))
        known = self.pool.conversations.get(talk)  # type: ignore[call-overload]  # a plain name
        row = self.pool.cases.get(known.case) if known else None
        seen = known.seen if known else []
        inquiry = dice.pick(seen) if seen and dice.one_in(6) else f"i{self._serial}"
        others = sorted(self.pool.cases)
        case = dice.pick(others) if others and dice.one_in(15) else f"c{self._serial}"
        self.talks.add(talk)
        self.cases.add(case)
        channel, units = dice.pick((("chat", 30), ("chat", 30), ("email", 10)))
        return self._act(
            acts.Admit,
            dice,
            case=case,
            conversation=talk,
            inquiry=inquiry,
            message=f"m{self._serial}",
            channel=channel,
            units=units,
            plan=self._plan(row, dice),
            placing=self._placing(dice, row),
            fence=self._fence(dice),
            replies=dice.pick(((), ('{"ack":1}',))),
            fresh=dice.one_in(4),
        )

    def _fence(self, dice: Dice) -> Fence | None:
        if not self._epoch or not dice.one_in(3):
            return None
        epoch = self._epoch - dice.one_in(4)
        offset = dice.pick((20, 3, 5, 8))
        published = dice.pick((0, self.now, self.now, self.now + 5_001))
        return Fence(partition=PARTITION, epoch=epoch, offset=offset, published_at_ms=published)

    def _match(self, intent: Intent, dice: Dice) -> AnyAct:
        keys = sorted(self.pool.lines)
        key = keys[intent.case % len(keys)] if keys else "k0"
        row = self.pool.cases[self.pool.lines[key].head()[1]] if keys else None  # type: ignore[index]  # a plain name
        if dice.one_in(6):
            row = self._case(acts.Match, intent, dice)
        shown = dice.pick(CLASSES) if dice.one_in(10) else key
        return self._plan_act(acts.Match, row, dice, class_key=shown, placing=self._placing(dice))

    def _assign(self, row: CaseRow | None, intent: Intent, dice: Dice) -> dict[str, Any]:
        same = row is not None and row.owner and dice.one_in(5)
        name = row.owner if row and same else self._person(intent)
        return {"advisor": name, "over": dice.one_in(3)}

    def _answer(self, kind: type[CaseAct], intent: Intent, dice: Dice) -> AnyAct:
        """Accept or decline: mostly one of the offers there are."""
        row = self._case(kind, intent, dice)
        offer = dice.pick(row.offers) if row and row.offers and not dice.one_in(6) else None
        who = offer.advisor if offer else (row.owner if row and row.owner else self._person(intent))
        members = {"advisor": who, "offer_ver": offer.ver if offer else 1}
        if issubclass(kind, PlannedAct):
            return self._plan_act(kind, row, dice, placing=self._placing(dice, row), **members)
        return self._act(kind, dice, case=row.id if row else "nobody", **members)

    def _accept(self, intent: Intent, dice: Dice) -> AnyAct:
        act = self._answer(acts.Accept, intent, dice)
        assert isinstance(act, acts.Accept)
        planned = dice.one_in(2)
        return msgspec.structs.replace(act, plan=self._plan(self.pool.cases.get(act.case), dice)) if planned else act

    def _expire(self, intent: Intent, dice: Dice) -> AnyAct:
        row = self._case(acts.Expire, intent, dice)
        ver = row.offers[0].ver if row and row.offers and not dice.one_in(8) else 1
        told = {name: (f'{{"away":"{name}"}}',) for name in PEOPLE}
        members: dict[str, Any] = {"offer_ver": ver, "away_after": dice.pick((0, 1, 2)), "told": told}
        members["placing"] = self._placing(dice, row)
        if row and f"offer|{ver}" in row.timers and dice.one_in(2):
            members["claim"] = (f"offer|{ver}", row.timers[f"offer|{ver}"])
        return self._plan_act(acts.Expire, row, dice, **members)

    def _transfer(self, row: CaseRow | None, intent: Intent, dice: Dice) -> dict[str, Any]:
        asker = dice.pick((None, row.owner if row else "", self._person(intent)))
        until_ms = self.now + 100 if dice.one_in(3) else 0
        return {
            "advisor": asker,
            "placing": self._placing(dice, row),
            "must": dice.one_in(3),
            "message": dice.pick(("", "m")),
            "wrap_up_ms": until_ms,
        }

    def _escalate(self, row: CaseRow | None, intent: Intent, dice: Dice) -> dict[str, Any]:
        return {
            "step": dice.pick((1, intent.case, 2)),
            "lower": dice.one_in(4),
            "take": dice.one_in(3),
            "placing": self._placing(dice, row),
            "advisor": dice.pick((None, None, row.owner if row else "", self._person(intent))),
            "message": dice.pick(("", f"m{self._serial}")),
        }

    def _consult(self, intent: Intent, dice: Dice) -> AnyAct:
        row = self._case(acts.Consult, intent, dice)
        asked = self._beside(row)
        placing = self._placing(dice)
        if asked and dice.one_in(3):
            again = Candidate(advisor=dice.pick(asked), elig=0)  # type: ignore[arg-type]  # a plain name
            placing = msgspec.structs.replace(placing, candidates=(again,))
        return self._plan_act(
            acts.Consult,
            row,
            dice,
            advisor=self._owner(row, dice),
            units=dice.pick((5, 5, 90)),
            placing=placing,
            message=dice.pick(("", f"m{self._serial}")),
        )

    def _beside(self, row: CaseRow | None) -> list[str]:
        """Who is consulted on the case, or rung."""
        return sorted({*row.consults, *(offer.advisor for offer in row.offers)}) if row else []

    def _hand_back(self, row: CaseRow | None, intent: Intent, dice: Dice) -> dict[str, Any]:
        asked = self._beside(row)
        return {"advisor": dice.pick(asked) if asked and not dice.one_in(5) else self._person(intent)}

    def _reply(self, row: CaseRow | None, intent: Intent, dice: Dice) -> dict[str, Any]:
        who = dice.pick((None, self._owner(row, dice), self._person(intent)))
        return {"advisor": who, "message": f"m{self._serial}", "reply": '{"r":1}'}

    def _resolve(self, row: CaseRow | None, intent: Intent, dice: Dice) -> dict[str, Any]:
        plan = self._plan(row, dice)
        timers = {**plan.timers, "close|0": self.now + dice.pick((100, 20_000))}
        advisor = dice.pick((None, row.owner or None if row else None, self._person(intent)))
        seen = dice.pick((None, None, (row.last_inquiry or None) if row else None, "i0"))
        wrap_up_ms = self.now + 100 if dice.one_in(2) else 0
        plan = msgspec.structs.replace(plan, timers=timers)
        return {"advisor": advisor, "plan": plan, "seen": seen, "wrap_up_ms": wrap_up_ms}

    def _close(self, intent: Intent, dice: Dice) -> AnyAct:
        row = self._case(acts.Close, intent, dice)
        deadline = row.timers.get("close|0", 5) if row else 5
        claim = ("close|0", deadline + dice.one_in(5))
        return self._act(acts.Close, dice, case=row.id if row else "nobody", claim=claim)

    def _note(self, intent: Intent, dice: Dice) -> AnyAct:
        row = self._case(acts.Note, intent, dice)
        return self._act(acts.Note, dice, case=row.id if row else "nobody", message=f"m{self._serial}")

    # -- acts on advisors and by loops

    def _presence(self, intent: Intent, dice: Dice) -> AnyAct:
        name = self._person(intent)
        row = self.pool.advisors.get(name)  # type: ignore[call-overload]  # a plain name
        return self._act(
            acts.PresenceAct,
            dice,
            advisor=name,
            presence=dice.pick((Presence.ONLINE, Presence.ONLINE, None, None, *Presence)),
            reason=dice.pick(("", "", "lunch")),
            away_from=dice.pick((None, None, None, (), ("chat",), ("call", "email"))),
            connect=dice.pick((0, 1, 2)),
            disconnect=dice.pick((0, 0, 1, 2)),
            lease_ms=self.now + dice.pick((30_000, 100)),
            grace_ms=dice.pick((0, self.now + 60_000)),
            left_ms=dice.pick((0, 0, 0, self.now + 10)),
            claim=self._claim(row, dice),
        )

    def _profile(self, intent: Intent, dice: Dice) -> AnyAct:
        name = PEOPLE[intent.person % len(PEOPLE)]
        row = self.pool.advisors.get(name)  # type: ignore[call-overload]  # a plain name
        if row is not None and dice.one_in(3):
            return self._act(
                acts.ProfileAct, dice, advisor=name, budget=row.budget, caps=dict(row.caps), profile=row.profile
            )
        return self._act(
            acts.ProfileAct,
            dice,
            advisor=name,
            budget=dice.pick((100, 60, 30)),
            caps=dice.pick(({}, {"chat": 2}, {"chat": 1, "email": 1})),
            profile=dice.pick(("{}", '{"team":"x"}')),
        )

    def _wrap_up(self, intent: Intent, dice: Dice) -> AnyAct:
        wrapping = sorted(
            (row.id, case)
            for row in self.pool.advisors.values()
            for case, item in row.work.items()
            if item.kind is WorkKind.WRAP_UP
        )
        name, case = dice.pick(wrapping) if wrapping and not dice.one_in(4) else (self._person(intent), "c1")
        row = self.pool.advisors.get(name)  # type: ignore[call-overload]  # a plain name
        until_ms = self.now + 50 if dice.one_in(3) else 0
        claim = self._claim(row, dice)
        return self._act(acts.WrapUp, dice, advisor=name, case=case, until_ms=until_ms, claim=claim)

    def _park(self, row: CaseRow | None, _: Intent, dice: Dice) -> dict[str, Any]:
        owner = self.pool.advisors.get(row.owner) if row else None  # type: ignore[call-overload]  # a plain name
        held_ms = owner.timers.get(f"park|{row.id}", 0) if owner and row else 0
        return {
            "advisor": self._asker(row, dice),
            "until_ms": dice.pick((0, 0, self.now + 100, self.now + 20_000)),
            "held_ms": dice.pick((0, 0, held_ms, held_ms, 7)),
        }

    def _asker(self, row: CaseRow | None, dice: Dice) -> str | None:
        return self._owner(row, dice) if dice.one_in(2) else None

    def _done(self, intent: Intent, dice: Dice) -> AnyAct:
        items = sorted(self.pool.work)
        item = items[(intent.case * 5 + intent.person) % len(items)] if items else "a|ann"
        _, stamp = self.pool.work.get(item, (0, 0))
        return self._act(acts.Done, dice, item=item, stamp=stamp - dice.one_in(5))
