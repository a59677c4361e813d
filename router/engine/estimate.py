"""How long a case is likely to wait: by its place, and by how fast those who could take it were handed cases. Pure.

Cases are taken to be handed out at random moments, at a rate that stays as it was. Then the wait for the n-th from now,
held against the time that the last k took, is as n/k times a number of the F distribution with 2n and 2k degrees of
freedom. Its quantiles are by Paulson, "An Approximate Normalization of the Analysis of Variance Distribution", Annals
of Mathematical Statistics 13(2), 1942.
"""

import math
from collections.abc import Container, Mapping, Sequence
from typing import Final

import msgspec

from router.engine.decide import Waiting
from router.engine.eligibility import fit
from router.engine.roster import Roster
from router.engine.sharing import gone_first, is_shared
from router.engine.waiting import urgency
from rules import Rulebook

FEWEST: Final = 3
"""Fewer than so many say nothing of a rate."""
MOST: Final = 32
"""Older ones are no longer of these times."""
_WITHIN: Final = 1.2816  # of the standard normal distribution, 8 of 10 lie within


class Wait(msgspec.Struct, frozen=True, kw_only=True):
    """The likely wait from now, and the bounds within which 8 of 10 such waits lie; of how many cases that were handed
    out it is known."""

    likely_ms: int
    least_ms: int
    most_ms: int
    known_of: int


class Lines(msgspec.Struct, frozen=True, kw_only=True):
    """All that waits: the heads of the lines, and how many wait in each by its class key."""

    heads: Sequence[Waiting] = ()
    lengths: Mapping[str, int] = {}


def ahead_of(mine: Waiting, in_line: int, lines: Lines, *, roster: Roster, rulebook: Rulebook, now_ms: int) -> int:
    """How many go before a case that has so many before it in its own line: those, and all of the other lines whose
    head is more urgent and whose advisors are also its own. While shares decide, what goes of the queues that have
    one follows from these instead."""

    def urgent(one: Waiting) -> float:
        return urgency(one.waiting, one.score_ms, rulebook, now_ms)

    wanted, line = fit(roster, mine.waiting), mine.class_key
    others = [head for head in lines.heads if head.class_key != line and fit(roster, head.waiting) & wanted]
    before = [head for head in others if urgent(head) > urgent(mine)]
    # The head of its own line stands for it: nothing of the line is more urgent.
    own = next((head for head in lines.heads if head.class_key == line), mine)
    ranked = sorted((own, *others), key=urgent, reverse=True)
    shares, queue = rulebook.shares, mine.waiting.queue
    by_shares: Mapping[str, int] = {}
    if shares is not None and is_shared(ranked[0].waiting, ranked[0].score_ms, rulebook, now_ms):
        by_shares = _by_queue(ranked, lines, shares.queues)
    if shares is None or queue not in by_shares:
        return in_line + sum(_length(head, lines) for head in before)
    its_own = in_line + sum(_length(head, lines) for head in before if head.waiting.queue == queue)
    by_urgency = sum(_length(head, lines) for head in before if head.waiting.queue not in by_shares)
    return by_urgency + gone_first(queue, its_own, by_shares, shares)


def _by_queue(heads: Sequence[Waiting], lines: Lines, queues: Container[str]) -> dict[str, int]:
    """How many wait in each of the queues, in the order of the heads."""
    found: dict[str, int] = {}
    for head in heads:
        if head.waiting.queue in queues:
            found[head.waiting.queue] = found.get(head.waiting.queue, 0) + _length(head, lines)
    return found


def _length(head: Waiting, lines: Lines) -> int:
    return lines.lengths.get(head.class_key, 1)


def likely_wait(handed_ms: Sequence[int], ahead: int, now_ms: int) -> Wait | None:
    """``handed_ms``: when cases were handed to advisors who could take this one, the last of them first; ``ahead``: how
    many go before it. None where too few are known, or all of them at once."""
    latest = handed_ms[:MOST]
    if len(latest) < FEWEST:
        return None
    span_ms = now_ms - latest[-1]
    if span_ms <= 0:
        return None
    # Back from a moment that has nothing to do with them, the time to the k-th is that of k gaps.
    known, place = len(latest), ahead + 1
    mean_ms = span_ms * place / known
    least, likely, most = (round(mean_ms * _quantile(place, known, normal)) for normal in (-_WITHIN, 0.0, _WITHIN))
    return Wait(likely_ms=likely, least_ms=least, most_ms=most, known_of=known)


def _quantile(place: int, known: int, normal: float) -> float:
    a, b = 1 / (9 * place), 1 / (9 * known)
    spread = math.sqrt(max(0.0, (1 - b) ** 2 * a + (1 - a) ** 2 * b - a * b * normal**2))
    root = ((1 - a) * (1 - b) + normal * spread) / ((1 - b) ** 2 - b * normal**2)
    return float(max(0.0, root) ** 3)
