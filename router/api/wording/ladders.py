"""Ladders at the API: the steps that a case has taken and those to come, in words; taking and lowering them by hand."""

from collections.abc import Iterator
from typing import Final

from router.api.acts import asking
from router.api.desks import Caller
from router.api.problems import refused
from router.api.views import View
from router.api.wording.phrases import Language, Phrase, lasting, say
from router.api.wording.relaxing import eased
from router.contract.case import CaseDetail, CaseState
from router.contract.codec import rfc3339
from router.engine.standing import standing
from router.service.climbing import NO_STEP, NOTE_NEEDED
from router.store.acts import Outcome
from rules import Rulebook, Step
from rules.ladders import Reassign

_LACKING: Final = {
    NO_STEP: "The case's ladder has no step above; nothing has changed.",
    NOTE_NEEDED: "This step needs a `note` for whoever has the case next; nothing has changed.",
}


class NextStepView(View, frozen=True, kw_only=True):
    """A step that is still to come. ``trigger``: ``share`` or ``after`` (of a clock), ``missed``, ``message`` or
    ``by-hand``; ``at`` is there when it is known when. ``does``: each part of it in words."""

    step: int
    ladder: str
    trigger: str
    does: tuple[str, ...]
    at: str | None = None


def step_views(
    state: CaseState, detail: CaseDetail, rulebook: Rulebook, language: Language
) -> tuple[NextStepView, ...]:
    """The steps above the case on its ladder, in their order."""
    return tuple(
        NextStepView(
            step=number,
            ladder=ladder,
            trigger=str(step.trigger),
            does=tuple(done_by(step, language)),
            at=None if at_ms is None else rfc3339(at_ms),
        )
        for number, ladder, step, at_ms in _above(state, detail, rulebook)
    )


def step_lines(
    state: CaseState, detail: CaseDetail, rulebook: Rulebook, now_ms: int, language: Language
) -> Iterator[str]:
    """The steps whose time is known, a line each."""
    for number, ladder, step, at_ms in _above(state, detail, rulebook):
        if at_ms is not None:
            yield say(
                language,
                Phrase.STEP_IN,
                span=lasting(language, max(0, at_ms - now_ms + 999) // 1000),
                number=number,
                ladder=ladder,
                what=", ".join(done_by(step, language)),
            )


def done_by(step: Step, language: Language = Language.ENGLISH) -> Iterator[str]:
    """Each part of what a step does."""
    if step.raise_priority:
        yield say(language, Phrase.PRIORITY_RISES, count=step.raise_priority)
    if step.relax is not None:
        yield from eased(step.relax, language)
    if step.move_up:
        yield say(language, Phrase.MOVES_UP)
    if step.reassign is not None:
        yield say(language, Phrase.IS_TAKEN if step.reassign is Reassign.TAKE else Phrase.ASKS_IN_ANOTHER)
    if step.notify:
        yield say(language, Phrase.IS_TOLD, names=", ".join(step.notify))
    if step.labels:
        yield say(language, Phrase.IS_LABELLED, names=", ".join(step.labels))
    if step.ladder:
        yield say(language, Phrase.CHANGES_LADDER, name=step.ladder)
    if step.exclude:
        yield say(language, Phrase.IS_KEPT_FROM, names=", ".join(step.exclude))


async def climbed(caller: Caller, ask: asking.Escalate | asking.Lower) -> Outcome:
    """Take the next step by hand, or lower the case to one. Raises ``Refused`` when there is no step above, or a note
    is needed."""
    work, request = caller.desk.casework, caller.request(ask.op, ask.reason)
    if isinstance(ask, asking.Lower):
        return await work.lower(ask.case, request, step=ask.step)
    found = await work.escalate(ask.case, request, note=ask.note)
    if found.lacking:
        raise refused(found.lacking, _LACKING[found.lacking])
    return found.outcome


def _above(state: CaseState, detail: CaseDetail, rulebook: Rulebook) -> Iterator[tuple[int, str, Step, int | None]]:
    at = standing(detail)
    ladder = rulebook.ladders.get(at.ladder)
    for number, step in enumerate(ladder.steps if ladder else (), start=at.foot + 1):
        if number > state.step:
            yield number, at.ladder, step, state.timers.get(f"step|{number}")
