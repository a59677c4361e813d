"""The decision: candidates for a case, or the case for a candidate. Pure: same input, same answer."""

import heapq
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import msgspec

from router.contract.ids import AdvisorId, CaseId
from router.contract.plan import Candidate
from router.engine.eligibility import eligible, is_eligible, sieve
from router.engine.explain import Explanation, RankedHead, explain
from router.engine.parking import gives_way, to_park
from router.engine.ranking import best
from router.engine.roster import Member, Roster
from router.engine.sharing import Contender, in_turn
from router.engine.strategies import Free, Wish
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
    sifted = sieve(roster, waiting)
    strategy = strategy_of(waiting, rulebook)
    wish = _wish(roster, waiting, case, rulebook, now_ms, last_advisor=last_advisor)
    first = best(roster, sifted.eligible, strategy, wish, count=MAX_CANDIDATES)
    candidates = []
    for one in first:
        member = roster.get(one.advisor)
        if member is not None:
            candidates.append(Candidate(advisor=one.advisor, elig=member.state.elig))
    explanation = explain(
        roster, sifted, first, strategy=strategy, rulebook=rulebook.hash, at_ms=now_ms, class_key=waiting.key
    )
    return Decision(candidates=tuple(candidates), explanation=explanation)


def nominate(roster: Roster, head: Waiting, rulebook: Rulebook, now_ms: int) -> Member | None:
    """The advisor for whom to decide when a class asks for the matcher, or None when nobody can take it. Where nobody
    has room, one who can make it by parking."""
    bits = eligible(roster, head.waiting)
    if not bits and (parking := gives_way(head.waiting.channel, rulebook)):
        bits = eligible(roster, head.waiting, parking)
    wish = _wish(roster, head.waiting, head.case, rulebook, now_ms)
    first = best(roster, bits, strategy_of(head.waiting, rulebook), wish, count=1)
    return roster.get(first[0].advisor) if first else None


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
    fitting = [head for head in heads if _may_have(roster, member, head.waiting, rulebook)] if member else []
    shown = _in_turn(fitting, rulebook, now_ms)
    if not shown:
        return None
    head = next(head for head in fitting if head.case == shown[0].case)
    assert member is not None
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


def _may_have(roster: Roster, member: Member, waiting: WaitClass, rulebook: Rulebook) -> bool:
    """Whether he is eligible, or would be if he parked what gives way: only when nobody is without that."""
    if is_eligible(member, waiting):
        return True
    parking = gives_way(waiting.channel, rulebook)
    return bool(parking) and is_eligible(member, waiting, parking) and not eligible(roster, waiting)


def decide_turn(
    roster: Roster, advisor: AdvisorId, turn: Turn, rulebook: Rulebook, now_ms: int, *, last_advisor: str = ""
) -> Explanation:
    """The record of a decision made from an advisor's side."""
    decision = decide(roster, turn.head.waiting, turn.head.case, rulebook, now_ms, last_advisor=last_advisor)
    return msgspec.structs.replace(decision.explanation, turn=advisor, heads=turn.ranked)


def strategy_of(waiting: WaitClass, rulebook: Rulebook) -> str:
    """The strategy of a class's queue; of a queue that is gone, ``longest-idle``."""
    queue = rulebook.queues.get(waiting.queue)
    return str(queue.strategy) if queue else "longest-idle"


def _free(roster: Roster, waiting: WaitClass) -> Free:
    """Counts those who are there and have room for such a case, when asked, and each only once."""
    ready = roster.online & roster.with_room(waiting.units, waiting.channel)

    @lru_cache(maxsize=512)
    def free(kind: str, name: str) -> int:
        having = roster.with_skill(name, 1) if kind == "skill" else roster.speaking(name)
        return (having & ready).bit_count()

    return free


def _wish(
    roster: Roster, waiting: WaitClass, case: CaseId, rulebook: Rulebook, now_ms: int, *, last_advisor: str = ""
) -> Wish:
    queue = rulebook.queues.get(waiting.queue)
    return Wish(
        case=case,
        now_ms=now_ms,
        wants=waiting.wants,
        hard=tuple([want for want in waiting.wants if want.hard]),
        preferred=tuple([want for want in waiting.wants if not want.hard]),
        last_advisor=last_advisor,
        free=_free(roster, waiting),
        language=waiting.language,
        weights=(queue and queue.weights) or EVEN,
        ramp_s=queue.ramp_s if queue else 0,
    )
