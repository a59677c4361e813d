"""Relaxation in words: what a waiting case will ask less of the advisors, and when. Pure."""

from collections.abc import Iterator

from router.api.views import View
from router.api.wording.phrases import Language, Phrase, lasting, say
from router.contract.case import CaseDetail
from router.contract.codec import rfc3339
from router.engine import relaxation
from rules import Rulebook
from rules.ladders import Easing
from rules.membership import queue_of


class RelaxView(View, frozen=True, kw_only=True):
    """A step of relaxation that is still to come. ``at`` is absent where the business hours never get there;
    ``asks_less``: each part of it in words."""

    step: int
    asks_less: tuple[str, ...]
    at: str | None = None


def relax_views(detail: CaseDetail, rulebook: Rulebook, language: Language) -> tuple[RelaxView, ...]:
    """The steps still to come, in their order."""
    return tuple(
        RelaxView(
            step=ahead.number,
            asks_less=tuple(eased(ahead.step, language)),
            at=None if ahead.at_ms is None else rfc3339(ahead.at_ms),
        )
        for ahead in relaxation.ahead(detail, rulebook)
    )


def relax_lines(detail: CaseDetail, rulebook: Rulebook, now_ms: int, language: Language) -> Iterator[str]:
    """What has been asked less so far, and what will be, a line a step."""
    for number, step in enumerate(relaxation.steps_of(detail, rulebook)[: detail.relaxed], start=1):
        yield say(language, Phrase.ASKS_SINCE, number=number, what=_joined(step, language))
    for ahead in relaxation.ahead(detail, rulebook):
        what = _joined(ahead.step, language)
        if ahead.at_ms is None:
            yield say(language, Phrase.ASKS_NEVER, what=what)
        else:
            span = lasting(language, max(0, ahead.at_ms - now_ms + 999) // 1000)
            yield say(language, Phrase.ASKS_IN, span=span, what=what)


def eased(easing: Easing, language: Language = Language.ENGLISH) -> Iterator[str]:
    """Each part of what is asked less."""
    for skill, level in easing.levels.items():
        yield say(language, Phrase.LEVEL_FALLS, skill=skill, level=level)
    for skill in easing.drop:
        yield say(language, Phrase.NOT_NEEDED, skill=skill)
    either = say(language, Phrase.OR)
    joining = tuple(of for name in easing.queues if (of := queue_of(name)) is not None)
    for names, phrase in (
        (tuple(name for name in easing.queues if queue_of(name) is None), Phrase.QUEUES_TOO),
        (joining, Phrase.SECONDARY_TOO),
        (easing.tiers, Phrase.TIERS_TOO),
        (easing.languages, Phrase.LANGUAGES_TOO),
    ):
        if names:
            yield say(language, phrase, names=either.join(names))
    if easing.language_level:
        yield say(language, Phrase.LANGUAGE_FALLS, level=easing.language_level)
    if easing.any_language:
        yield say(language, Phrase.ANY_LANGUAGE)


def _joined(easing: Easing, language: Language) -> str:
    return ", ".join(eased(easing, language))
