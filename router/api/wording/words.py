"""Explanations in words: why here, why not the others, why still waiting, and what would free it. Pure."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from router.api.views import View
from router.api.wording.exclusions import exclusion_lines
from router.api.wording.ladders import NextStepView, step_lines, step_views
from router.api.wording.names import named, reason
from router.api.wording.phrases import Language, Phrase, lasting, say
from router.api.wording.relaxing import RelaxView, relax_lines, relax_views
from router.api.wording.would_free import NAMED, ChangeView, would_free
from router.contract.case import CaseDetail, CaseState, CaseStatus, read_detail
from router.contract.codec import rfc3339
from router.contract.ids import AdvisorId, CaseId
from router.engine.consulting import DECLINED, EXPIRED, LEFT, is_rung
from router.engine.decide import Waiting
from router.engine.eligibility import Filter, eligible, fit, passing, sieve
from router.engine.estimate import MOST, Lines, ahead_of, likely_wait
from router.engine.explain import Explanation, Parked, ShareTerm, in_order, read_explanation
from router.engine.freeing import Ground
from router.engine.parking import gives_way
from router.engine.relaxation import language_level
from router.engine.roster import Roster
from router.engine.waiting import WaitClass, governing, score, wait_class
from rules import Rulebook, Verdict

_LOOKED_AT: Final = 20
_LOOKING: Final = frozenset({CaseStatus.QUEUED, CaseStatus.OFFERED})
_AT_HAND: Final = frozenset({CaseStatus.ASSIGNED, CaseStatus.PARKED})
_UNADVISED: Final = {DECLINED: Phrase.ASK_DECLINED, EXPIRED: Phrase.ASK_EXPIRED, LEFT: Phrase.ASK_LEFT}
_OPEN: Final = frozenset({*_LOOKING, CaseStatus.ASSIGNED, CaseStatus.PARKED, CaseStatus.PENDING})

_MOVED: Final = {"transfer": Phrase.HANDED_ON, "requeue": Phrase.PUT_BACK}
# Rules may have these names, too: whoever calls one so has said what it is.
_SET_BY: Final = {"queue": Phrase.FROM_QUEUE, "language": Phrase.FROM_TEXT, "defaults": Phrase.FROM_DEFAULTS}


def _never(_advisors: int, _most: int) -> Sequence[int]:
    return ()


class Line(NamedTuple):
    """Where a case waits: all lines, the ``first`` cases of its own, as many as were asked for, and when cases were
    ``handed`` to any of a set of advisors lately, as ``Pace.latest`` tells it."""

    lines: Lines = Lines()
    first: Sequence[CaseId] = ()
    handed: Callable[[int, int], Sequence[int]] = _never


class WaitView(View, frozen=True, kw_only=True):
    """How long it is likely to wait from now, and the bounds within which 8 of 10 such waits lie; by the last
    ``known_of`` cases that were handed to those who could take it."""

    ahead: int
    likely_s: int
    least_s: int
    most_s: int
    known_of: int


class RemovedView(View, frozen=True, kw_only=True):
    """Advisors that one filter took out; the first of them by name."""

    filter: str
    count: int
    reason: str
    first: tuple[str, ...] = ()


class ExplanationView(View, frozen=True, kw_only=True):
    """``why_here``: the rules that judged it and the last decision; ``why_not``: who was out then, and why;
    ``why_waiting``: as things are now; ``would_free``: the single changes that would place it now; ``wait``: how long
    that may take, where enough is known; ``relaxes``: what it will ask less of the advisors, and when, while it looks
    for one; ``climbs``: the steps of its ladder that are still to come. ``decided_at`` is when the last decision was
    made."""

    why_here: tuple[str, ...]
    why_not: tuple[RemovedView, ...] = ()
    why_waiting: tuple[str, ...] = ()
    would_free: tuple[ChangeView, ...] = ()
    wait: WaitView | None = None
    relaxes: tuple[RelaxView, ...] = ()
    climbs: tuple[NextStepView, ...] = ()
    decided_at: str | None = None
    rulebook: str = ""
    strategy: str = ""


class Words:
    """What is said of cases, in one language."""

    def __init__(self, language: Language, roster: Roster, rulebook: Rulebook, now_ms: int) -> None:
        self._language = language
        self._roster = roster
        self._rulebook = rulebook
        self._now_ms = now_ms

    def explained(self, state: CaseState, line: Line | None = None, history: Sequence[str] = ()) -> ExplanationView:
        """All that can be said of where a case is; without its line, nothing of its place and of who comes first;
        without its history (as the store keeps it), nothing of who handed it on."""
        detail, last = read_detail(state.detail), read_explanation(state.why)
        if state.state is CaseStatus.QUEUED:
            waiting, frees, wait = self._queued(state, detail, line or Line())
        else:
            waiting, frees, wait = tuple(self._resting(state, detail)), (), None
        return ExplanationView(
            why_here=(*self._judged(detail), *self._handed(history), *self._decided(state, last)),
            why_not=tuple(self._removed(last)) if last else (),
            why_waiting=waiting,
            would_free=frees,
            wait=wait,
            relaxes=relax_views(detail, self._rulebook, self._language) if state.state in _LOOKING else (),
            climbs=step_views(state, detail, self._rulebook, self._language) if state.state in _OPEN else (),
            decided_at=rfc3339(last.at_ms) if last else None,
            rulebook=detail.verdict.rulebook,
            strategy=last.strategy if last else "",
        )

    def _say(self, phrase: Phrase, /, **parts: object) -> str:
        return say(self._language, phrase, **parts)

    def _judged(self, detail: CaseDetail) -> Iterator[str]:
        verdict = detail.verdict
        for judged in verdict.reasons:
            if judged.set:
                what = ", ".join(named(self._language, name) for name in judged.set)
                yield self._say(_SET_BY.get(judged.rule, Phrase.RULE), rule=judged.rule, what=what)
        soft = self._say(Phrase.SOFT)
        wants = ", ".join(f"{want.skill} {want.level}{'' if want.hard else soft}" for want in verdict.wants)
        yield self._say(
            Phrase.BELONGS,
            queue=verdict.queue,
            priority=verdict.priority,
            language=self._spoken(verdict),
            wants=wants or self._say(Phrase.NOTHING),
        )

    def _spoken(self, verdict: Verdict) -> str:
        """The language that is asked for, and how well it has to be spoken."""
        if not verdict.language:
            return ""
        level = language_level(verdict, self._rulebook)
        least = self._say(Phrase.FROM_LEVEL, level=level) if level > 1 else ""
        return self._say(Phrase.IN_LANGUAGE, language=verdict.language) + least

    def _handed(self, history: Sequence[str]) -> Iterator[str]:
        """Who handed it on, or put it back, last."""
        for line in reversed(history):
            _, act, _, at_ms, by, _ = line.split("|", 5)
            if act in _MOVED and by:
                yield self._say(_MOVED[act], by=by, at=rfc3339(int(at_ms)))
                return

    def _decided(self, state: CaseState, last: Explanation | None) -> Iterator[str]:
        if last is None:
            return
        ranked = len(in_order(last))
        phrase = Phrase.LOOKED_AT if ranked else Phrase.NONE_ABLE
        yield self._say(phrase, count=last.considered, ranked=ranked, strategy=last.strategy)
        if last.by and last.turn:
            yield from self._by_hand(last.by, last.turn, last.overrode)
        elif last.turn:
            yield from self._made_room(last.turn, last.parked)
            yield self._his_turn(last.turn, last.heads[0].share if last.heads else None)
        elif knows := _who_knew(state):
            yield self._say(Phrase.CAME_BACK, advisor=knows)
        for place, one in enumerate(last.best, start=1):
            terms = ", ".join(f"{name} {value:g}" for name, value in one.terms.items())
            yield f"{place}. {one.advisor} ({terms})"
        if state.owner:
            yield self._say(Phrase.HAS_IT, advisor=state.owner)
        if state.over:
            came_back = self._rulebook.weight(state.channel).over_when_back and not last.by and _who_knew(state)
            who = state.owner or ", ".join(offer.advisor for offer in state.offers)
            yield self._say(Phrase.OVER_BACK if came_back else Phrase.OVER, advisor=who, channel=state.channel)

    def _made_room(self, advisor: str, parked: Parked | None) -> Iterator[str]:
        if parked is not None:
            more = self._say(Phrase.MORE) if parked.count > len(parked.first) else ""
            yield self._say(Phrase.MADE_ROOM, advisor=advisor, cases=", ".join(parked.first) + more)

    def _his_turn(self, advisor: str, share: ShareTerm | None) -> str:
        if share is None:
            return self._say(Phrase.HIS_TURN, advisor=advisor)
        return self._say(
            Phrase.HIS_SHARE,
            advisor=advisor,
            queue=share.queue,
            length=share.length,
            total=share.total,
            target=f"{100 * share.target:.3g}",
        )

    def _by_hand(self, by: str, advisor: str, overrode: Sequence[str]) -> Iterator[str]:
        phrase = Phrase.TOOK if by == advisor else Phrase.GAVE
        yield self._say(phrase, by=by, advisor=advisor)
        if overrode:
            what = "; ".join(reason(self._language, name) for name in overrode)
            yield self._say(Phrase.OVERRODE, advisor=advisor, what=what)

    def _removed(self, last: Explanation) -> Iterator[RemovedView]:
        for name, out in last.removed.items():
            yield RemovedView(filter=name, count=out.count, reason=reason(self._language, name), first=out.first)

    def _queued(
        self, state: CaseState, detail: CaseDetail, line: Line
    ) -> tuple[tuple[str, ...], tuple[ChangeView, ...], WaitView | None]:
        """Why a case that looks for somebody still waits, what would free it, and how long that may take."""
        mine = self._mine(state, detail)
        ground = Ground(self._roster, self._rulebook, line.lines.heads, self._now_ms)
        frees = tuple(would_free(mine, detail, ground, self._language))
        wait = self._wait(mine, line)
        said = (
            *self._looking(mine.waiting, is_stuck=not frees),
            *exclusion_lines(detail, self._language),
            *self._place(state, line),
            *relax_lines(detail, self._rulebook, self._now_ms, self._language),
            *step_lines(state, detail, self._rulebook, self._now_ms, self._language),
            *self._due(detail),
            *self._told_wait(wait),
        )
        return said, frees, wait

    def _due(self, detail: CaseDetail) -> Iterator[str]:
        clock, due = governing(detail.clocks)
        if due is not None:
            yield self._say(Phrase.CLOCK_DUE, clock=named(self._language, clock), at=rfc3339(due))

    def _resting(self, state: CaseState, detail: CaseDetail) -> Iterator[str]:
        pending = detail.pending
        if state.state is CaseStatus.PENDING and pending is not None:
            until = self._say(Phrase.UNTIL, at=rfc3339(pending.until_ms)) if pending.until_ms else ""
            yield self._say(Phrase.WAITS_FOR, on=named(self._language, pending.on), until=until)
        if state.state is CaseStatus.PARKED:
            yield self._parked(state)
        phrase = Phrase.IS_RUNG if is_rung(state) else Phrase.OFFERED
        for offer in state.offers:
            yield self._say(phrase, advisor=offer.advisor, at=rfc3339(offer.deadline_ms))
        if state.consults:
            yield self._say(Phrase.GIVES_ADVICE, who=", ".join(sorted(state.consults)))
        if state.state in _AT_HAND:
            yield from self._asked(state, detail)

    def _asked(self, state: CaseState, detail: CaseDetail) -> Iterator[str]:
        """Why advice that was asked for isn't given."""
        ask = detail.ask
        phrase = _UNADVISED.get(ask.end) if ask else None
        if ask is None or phrase is None:
            return
        yield self._say(phrase, advisor=ask.last)
        if not state.offers:
            yield self._say(Phrase.NOBODY_RUNG)

    def _parked(self, state: CaseState) -> str:
        member = self._roster.get(AdvisorId(state.owner))
        until_ms = member.state.parked_until(state.id) if member else None
        if until_ms is None:
            return self._say(Phrase.PARKED, advisor=state.owner)
        return self._say(Phrase.SET_ASIDE, advisor=state.owner, at=rfc3339(until_ms))

    def _looking(self, waiting: WaitClass, *, is_stuck: bool) -> Iterator[str]:
        sifted = sieve(self._roster, waiting)
        for name, out in sifted.removed.items():
            why = reason(self._language, name)
            yield self._say(Phrase.OUT, count=out.bit_count(), reason=why, who=self._names(out))
        yield from self._wrapping_up(sifted.removed.get(Filter.ROOM, 0))
        parking = gives_way(waiting.channel, self._rulebook)
        if sifted.eligible:
            yield self._say(Phrase.CAN_TAKE, who=self._names(sifted.eligible))
        elif parking and (able := eligible(self._roster, waiting, parking)):
            yield self._say(Phrase.CAN_PARK, who=self._names(able), channels=", ".join(sorted(parking)))
        elif is_stuck:
            yield self._say(Phrase.NOBODY)

    def _wrapping_up(self, bits: int) -> Iterator[str]:
        """Who would have room but for what he wraps up, for how long yet."""
        for member in itertools.islice(self._roster.members(bits), _LOOKED_AT):
            ends = [until for case in member.state.work if (until := member.state.wrap_up_until(case)) is not None]
            if ends:
                span = lasting(self._language, max(0, min(ends) - self._now_ms) // 1000)
                yield self._say(Phrase.WRAP_UP, advisor=member.state.id, span=span)

    def _place(self, state: CaseState, line: Line) -> Iterator[str]:
        if state.id in line.first:
            if ahead := line.first.index(state.id):
                yield self._say(Phrase.BEHIND, count=ahead)
        elif line.first:
            yield self._say(Phrase.BEHIND_MANY, count=len(line.first))

    def _wait(self, mine: Waiting, line: Line) -> WaitView | None:
        able = fit(self._roster, mine.waiting)
        # By a pace of before nobody can say when somebody comes online.
        if mine.case not in line.first or not able & passing(self._roster, mine.waiting, Filter.PRESENCE):
            return None
        ahead = ahead_of(
            mine,
            line.first.index(mine.case),
            line.lines,
            roster=self._roster,
            rulebook=self._rulebook,
            now_ms=self._now_ms,
        )
        handed = line.handed(able, MOST)
        found = likely_wait(handed, ahead, self._now_ms)
        if found is None:
            return None
        likely_s, least_s, most_s = (ms // 1000 for ms in (found.likely_ms, found.least_ms, found.most_ms))
        return WaitView(ahead=ahead, likely_s=likely_s, least_s=least_s, most_s=most_s, known_of=found.known_of)

    def _told_wait(self, wait: WaitView | None) -> Iterator[str]:
        if wait is not None:
            likely, least, most = (lasting(self._language, of) for of in (wait.likely_s, wait.least_s, wait.most_s))
            yield self._say(Phrase.WAIT, ahead=wait.ahead, likely=likely, least=least, most=most)

    def _mine(self, state: CaseState, detail: CaseDetail) -> Waiting:
        """The case as the head of its line, as it would wait from now on."""
        waiting = wait_class(
            detail, channel=state.channel, units=state.units, rulebook=self._rulebook, now_ms=self._now_ms
        )
        return Waiting(class_key=waiting.key, score_ms=score(detail, self._rulebook), case=state.id)

    def _names(self, bits: int) -> str:
        """The first few of a set by name."""
        first = itertools.islice((member.state.id for member in self._roster.members(bits)), NAMED)
        return ", ".join(first) + (self._say(Phrase.MORE) if bits.bit_count() > NAMED else "")


def _who_knew(state: CaseState) -> str:
    """Who has the case, or is offered it, if he had it before; empty otherwise."""
    knows = read_detail(state.detail).last_advisor
    return knows if knows and knows in (state.owner, *(offer.advisor for offer in state.offers)) else ""
