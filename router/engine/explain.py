"""Why this advisor and not the others: recorded with every decision, and enough to decide again."""

from collections.abc import Sequence
from typing import Final

import msgspec

from router.contract.ids import AdvisorId, CaseId
from router.engine.eligibility import Removed
from router.engine.ranking import Ranked, Scored


class ShareTerm(msgspec.Struct, frozen=True, kw_only=True):
    """How a queue with a share stood, of the cases that an advisor could have had: ``length`` of ``total`` waited in
    it, and ``target`` is its share of them (0 to 1)."""

    queue: str
    target: float
    length: int
    total: int

    @property
    def over(self) -> float:
        """By how many cases its line is above its share."""
        return self.length - self.target * self.total


class RankedHead(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A waiting case that an advisor could have had, and how much it wanted to be next; ``share`` is that of its queue,
    where shares decided."""

    case: CaseId
    urgency: float
    share: ShareTerm | None = None


class Parked(msgspec.Struct, frozen=True, kw_only=True):
    """How many cases the advisor parked for this one, and the first of them."""

    count: int
    first: tuple[CaseId, ...]


class Explanation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One decision: by which rulebook, over which roster, who was out and why, and how the best compared.

    ``turn`` is set when the decision was made from an advisor's side: he had room, and of the ``heads`` he may be
    offered this case was the most urgent, or that of the queue most over its share: they stand in their order.
    Otherwise the first of ``best`` is the winner, beside the next best; of who came after them the ids are enough.
    ``parked`` is what he had to park for it before he had room.
    ``by`` is set when a person chose the advisor of ``turn``, which ``overrode`` these filters.
    """

    rulebook: str
    strategy: str
    class_key: str
    at_ms: int
    roster_gen: int
    roster_change: int
    considered: int
    removed: dict[str, Removed] = {}
    best: tuple[Scored, ...] = ()
    after: tuple[AdvisorId, ...] = ()
    turn: AdvisorId | None = None
    heads: tuple[RankedHead, ...] = ()
    parked: Parked | None = None
    by: str = ""
    overrode: tuple[str, ...] = ()


COMPARED: Final = 2
"""So many are recorded with their terms."""
NAMED: Final = 3
"""So many of the cases that were parked are."""
PLACES: Final = 4
"""Decimal places of a recorded term."""
_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final[msgspec.json.Decoder[Explanation | None]] = msgspec.json.Decoder(Explanation | None)


def decide_again(explanation: Explanation) -> AdvisorId | None:
    """The winner by what was recorded alone; None when nobody was eligible."""
    if explanation.turn:
        return explanation.turn
    return explanation.best[0].advisor if explanation.best else None


def parked(cases: Sequence[CaseId]) -> Parked | None:
    """What is recorded of the cases that a turn parks; None for none."""
    return Parked(count=len(cases), first=tuple(cases[:NAMED])) if cases else None


def in_order(explanation: Explanation) -> tuple[AdvisorId, ...]:
    """Who was tried, the first first, by what was recorded."""
    return (*(one.advisor for one in explanation.best), *explanation.after)


def told(ranked: Ranked) -> tuple[Scored, ...]:
    """The first two as they are recorded: the record travels with every event of the case."""
    return ranked.scored(COMPARED, places=PLACES)


def case_again(explanation: Explanation) -> CaseId | None:
    """The case that an advisor's turn gave him, by what was recorded alone."""
    return explanation.heads[0].case if explanation.heads else None


def write_explanation(explanation: Explanation | None) -> str:
    return _ENCODER.encode(explanation).decode()


def read_explanation(why: str) -> Explanation | None:
    """What ``CaseState.why`` holds; None before the first decision, or when it is of a newer format."""
    try:
        return _DECODER.decode(why)
    except msgspec.DecodeError:
        return None
