"""Target shares between queues: which of them an advisor who serves several takes his next case from. Pure.

The rule is that of a fixed queue ratio (Gurvich and Whitt, "Queue-and-Idleness-Ratio Controls in Many-Server Service
Systems", Mathematics of Operations Research 34(2), 2009): of the queues that have something for him, the one whose
line is most above its share of them all. Under load the lines then keep the ratios of the shares, and so do the waits
for the same flow. By itself it would let a short line wait for ever, so it only decides while the most urgent case of
all is in one of those lines and isn't late: whatever urgency would bring first in the end, comes.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Final, NamedTuple

from router.contract.ids import CaseId
from router.engine.explain import RankedHead, ShareTerm
from router.engine.waiting import WaitClass, share_used, urgency
from rules import Rulebook
from rules.sharing import Shares

_DIGITS: Final = 4
_COUNTED: Final = 2_000
_PLACE: Final = itemgetter(0, 1, 2)


class Contender(NamedTuple):
    """A head that the advisor may have, and how many wait in its line, with itself."""

    case: CaseId
    score_ms: int
    class_key: str
    waiting: WaitClass
    length: int


class _Ranked(NamedTuple):
    urgency: float
    minus_score: int
    case: CaseId
    contender: Contender

    @property
    def queue(self) -> str:
        return self.contender.waiting.queue


def in_turn(contenders: Sequence[Contender], rulebook: Rulebook, now_ms: int, *, most: int) -> tuple[RankedHead, ...]:
    """The heads in the order in which they go, at most so many; none, for none. Where shares decide, the first of each
    queue that has one, with its term."""
    ranked = sorted((_rank(one, rulebook, now_ms) for one in contenders), key=_PLACE, reverse=True)
    shares = rulebook.shares
    first = ranked[0].contender if ranked else None
    if first is None or shares is None or not is_shared(first.waiting, first.score_ms, rulebook, now_ms):
        return tuple(_head(one) for one in ranked[:most])
    firsts: dict[str, _Ranked] = {}
    for one in ranked:
        if one.queue in shares.queues:
            firsts.setdefault(one.queue, one)
    if len(firsts) < 2:
        return tuple(_head(one) for one in ranked[:most])
    terms = _terms(contenders, shares)
    # Sorting is stable: where two are equally over, urgency decides.
    in_order = sorted(firsts.values(), key=lambda one: terms[one.queue].over, reverse=True)
    return tuple(_head(one, terms[one.queue]) for one in in_order[:most])


def is_shared(first: WaitClass, score_ms: int, rulebook: Rulebook, now_ms: int) -> bool:
    """Whether it is the shares' turn, where the case with that class and score is the most urgent of all."""
    shares = rulebook.shares
    if shares is None or first.queue not in shares.queues:
        return False
    return share_used(first, score_ms, rulebook, now_ms) < shares.late


def gone_first(queue: str, own: int, lengths: Mapping[str, int], shares: Shares) -> int:
    """How many go before a case that has ``own`` of its queue before it while shares decide and nothing new comes.
    ``lengths``: how many wait in each queue with a share, the queue with the most urgent case first. Beyond a few
    thousand it is counted by every so many."""
    every = 1 + sum(lengths.values()) // _COUNTED
    left = {name: length / every for name, length in lengths.items()}
    left[queue] = max(left.get(queue, 0.0), (own + 1) / every)  # it waits there itself, whenever they were counted
    gone, own_left = 0, own // every
    while True:
        whole, total = sum(shares.queues[name] for name in left), sum(left.values())
        first = max(left, key=lambda name: left[name] - _target(name, whole, shares) * total)
        if first == queue and not own_left:
            return gone * every
        own_left -= first == queue
        gone += 1
        left[first] -= 1
        if left[first] <= 0:
            del left[first]


def _terms(contenders: Sequence[Contender], shares: Shares) -> dict[str, ShareTerm]:
    """How each queue stands, among those that have something for him. A line counts once, as what is longest of it."""
    lines = {one.class_key: one for one in sorted(contenders, key=lambda one: one.length)}
    lengths: defaultdict[str, int] = defaultdict(int)
    for line in lines.values():
        if line.waiting.queue in shares.queues:
            lengths[line.waiting.queue] += line.length
    total, whole = sum(lengths.values()), sum(shares.queues[queue] for queue in lengths)
    return {
        queue: ShareTerm(queue=queue, target=_target(queue, whole, shares), length=length, total=total)
        for queue, length in lengths.items()
    }


def _target(queue: str, whole: float, shares: Shares) -> float:
    return round(shares.queues[queue] / whole, _DIGITS)


def _rank(one: Contender, rulebook: Rulebook, now_ms: int) -> _Ranked:
    return _Ranked(urgency(one.waiting, one.score_ms, rulebook, now_ms), -one.score_ms, one.case, one)


def _head(one: _Ranked, term: ShareTerm | None = None) -> RankedHead:
    return RankedHead(case=one.case, urgency=round(one.urgency, 6), share=term)
