"""The decision: candidates for a case, or the case for a candidate. Pure: same input, same answer."""

import heapq
from collections.abc import Sequence
from typing import Final

import msgspec

from router.contract.ids import AdvisorId, CaseId
from router.contract.plan import Candidate
from router.engine.eligibility import Look, fits, has_room, look
from router.engine.explain import COMPARED, Explanation, RankedHead, parked, told
from router.engine.interrupting import parked_for
from router.engine.parking import gives_way, to_park
from router.engine.ranking import Ranked, best, rank_all
from router.engine.roster import Member, Roster
from router.engine.sharing import Contender, in_turn
from router.engine.strategies import Wish, mix_of, others_of, strategy_named
from router.engine.waiting import WaitClass, read_class, urgency
from rules import Rulebook
from rules.rulebook import EVEN

MAX_CANDIDATES: Final = 5
SHOWN_HEADS: Final = 3


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """Whom to try, in order, and why."""

    candidates: tuple[Candidate, ...]
    explanation: Explanation


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """The head of a wait class; ``length``, how many wait in its line, counts only where queues have shares."""

    class_key: str
    score_ms: int
    case: CaseId
    length: int = 1

    @property
    def waiting(self) -> WaitClass:
        return read_class(self.class_key)


def decide(
    roster: Roster, waiting: WaitClass, case: CaseId, rulebook: Rulebook, now_ms: int, *, last_advisor: str = ""
) -> Decision:
    """The best five eligible advisors for a case, by its queue's strategy; ``last_advisor`` is who knows it."""
    seen, strategy = look(roster, waiting), strategy_of(waiting, rulebook)
    wish = _wish(seen, strategy, case, rulebook, now_ms, last_advisor=last_advisor)
    first = best(roster, seen.field, strategy, wish, count=MAX_CANDIDATES)
    states = [member.state for member in first.members]
    explanation = Explanation(
        rulebook=rulebook.hash,
        strategy=strategy,
        class_key=seen.fitting.key,
        at_ms=now_ms,
        roster_gen=roster.gen,
        roster_change=roster.change,
        considered=seen.fitting.considered,
        removed=seen.fitting.removed(roster, seen.field.bits),
        best=told(first),
        after=tuple([state.id for state in states[COMPARED:]]),
    )
    candidates = tuple([Candidate(advisor=state.id, elig=state.elig) for state in states])
    return Decision(candidates=candidates, explanation=explanation)


def ranked(
    roster: Roster, waiting: WaitClass, case: CaseId, rulebook: Rulebook, now_ms: int, *, last_advisor: str = ""
) -> Ranked:
    """Everybody who is eligible, in the order of ``decide``, which looks at no more than it must."""
    seen, strategy = look(roster, waiting), strategy_of(waiting, rulebook)
    wish = _wish(seen, strategy, case, rulebook, now_ms, last_advisor=last_advisor)
    return rank_all(roster, seen.field, strategy, wish)


def nominate(roster: Roster, head: Waiting, rulebook: Rulebook, now_ms: int) -> Member | None:
    """The advisor for whom to decide when a class asks for the matcher, or None when nobody can take it. Where nobody
    has room, one who can make it by parking."""
    waiting = head.waiting
    seen = look(roster, waiting, parked_for(roster, waiting, rulebook))
    if not seen.field.bits:
        return None
    strategy = strategy_of(waiting, rulebook)
    wish = _wish(seen, strategy, head.case, rulebook, now_ms)
    return best(roster, seen.field, strategy, wish, count=1).members[0]


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """What an advisor should have next, the heads it was preferred to, and what he parks for it."""

    head: Waiting
    ranked: tuple[RankedHead, ...]
    park: tuple[CaseId, ...] = ()


def next_for(
    roster: Roster, advisor: AdvisorId, heads: Sequence[Waiting], rulebook: Rulebook, now_ms: int
) -> Turn | None:
    """The case that an advisor should have next: among the heads he may be offered, the most urgent, or where queues
    have shares, the most urgent of the queue that is most over its own.

    Eligibility comes before priority: an important case that he can't take never keeps him from one he can.
    """
    member = roster.get(advisor)
    if member is None:
        return None
    fitting = [head for head in heads if fits(roster, member, head.class_key)]
    takeable = [head for head in fitting if _has_room(roster, member, head.waiting, rulebook)]
    shown = _in_turn(takeable, rulebook, now_ms)
    if not shown:
        return None
    head = next(head for head in takeable if head.case == shown[0].case)
    waiting, parking = head.waiting, gives_way(head.waiting.channel, rulebook)
    return Turn(head=head, ranked=shown, park=to_park(member.state, waiting.units, waiting.channel, parking))


def _in_turn(fitting: Sequence[Waiting], rulebook: Rulebook, now_ms: int) -> tuple[RankedHead, ...]:
    """The first few in the order in which they go."""
    if rulebook.shares is not None:
        lines = [Contender(one.case, one.score_ms, one.class_key, one.waiting, one.length) for one in fitting]
        return in_turn(lines, rulebook, now_ms, most=SHOWN_HEADS)
    ranked = heapq.nlargest(
        SHOWN_HEADS,
        ((urgency(head.waiting, head.score_ms, rulebook, now_ms), -head.score_ms, head.case) for head in fitting),
    )
    return tuple(RankedHead(case=case, urgency=round(value, 6)) for value, _, case in ranked)


def _has_room(roster: Roster, member: Member, waiting: WaitClass, rulebook: Rulebook) -> bool:
    """Whether he has room, or would have if he parked what gives way: only when nobody is eligible without that."""
    if has_room(roster, member, waiting):
        return True
    parking = parked_for(roster, waiting, rulebook)
    return bool(parking) and has_room(roster, member, waiting, parking)


def decide_turn(roster: Roster, advisor: AdvisorId, turn: Turn, rulebook: Rulebook, now_ms: int) -> Explanation:
    """The record of a decision made from an advisor's side."""
    made = decide(roster, turn.head.waiting, turn.head.case, rulebook, now_ms).explanation
    return msgspec.structs.replace(made, turn=advisor, heads=turn.ranked, parked=parked(turn.park))


def strategy_of(waiting: WaitClass, rulebook: Rulebook) -> str:
    """The strategy of a class's queue; of a queue that is gone, ``longest-idle``."""
    queue = rulebook.queues.get(waiting.queue)
    return str(queue.strategy) if queue else "longest-idle"


def _wish(seen: Look, strategy: str, case: CaseId, rulebook: Rulebook, now_ms: int, *, last_advisor: str = "") -> Wish:
    queue, asks = rulebook.queues.get(seen.waiting.queue), seen.fitting.asks
    return Wish(
        case=case,
        now_ms=now_ms,
        asks=asks,
        last_advisor=last_advisor,
        others=others_of(seen.room.having, asks) if strategy_named(strategy).look_around else {},
        mix=mix_of((queue and queue.weights) or EVEN),
        ramp_s=queue.ramp_s if queue else 0,
    )
