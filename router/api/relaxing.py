"""Relaxation in words: what a waiting case will ask less of the advisors, and when. Pure."""

from collections.abc import Iterator

from router.api.views import View
from router.contract.case import CaseDetail
from router.contract.codec import rfc3339
from router.engine import relaxation
from router.engine.relaxation import Ahead
from rules import Rulebook
from rules.ladders import Easing


class RelaxView(View, frozen=True, kw_only=True):
    """A step of relaxation that is still to come. ``at`` is absent where the business hours never get there;
    ``asks_less``: each part of it in words."""

    step: int
    asks_less: tuple[str, ...]
    at: str | None = None


def relax_views(detail: CaseDetail, rulebook: Rulebook) -> tuple[RelaxView, ...]:
    """The steps still to come, in their order."""
    return tuple(
        RelaxView(
            step=ahead.number,
            asks_less=tuple(eased(ahead.step)),
            at=None if ahead.at_ms is None else rfc3339(ahead.at_ms),
        )
        for ahead in relaxation.ahead(detail, rulebook)
    )


def relax_lines(detail: CaseDetail, rulebook: Rulebook, now_ms: int) -> Iterator[str]:
    """What has been asked less so far, and what will be, a line a step."""
    for number, step in enumerate(relaxation.steps_of(detail, rulebook)[: detail.relaxed], start=1):
        yield f"since its step of relaxation {number} {_joined(step)}"
    for ahead in relaxation.ahead(detail, rulebook):
        yield f"{_when(ahead, now_ms)} {_joined(ahead.step)}"


def eased(easing: Easing) -> Iterator[str]:
    """Each part of what is asked less."""
    for skill, level in easing.levels.items():
        yield f"the level of {skill} falls to {level}"
    for skill in easing.drop:
        yield f"{skill} is preferred and no longer needed"
    if easing.queues:
        yield f"members of {_any_of(easing.queues)} may have it too"
    if easing.tiers:
        yield f"advisors of tier {_any_of(easing.tiers)} may have it too"
    if easing.languages:
        yield f"speakers of {_any_of(easing.languages)} may have it too"
    if easing.any_language:
        yield "it may go to whoever speaks any language"


def _joined(easing: Easing) -> str:
    return ", ".join(eased(easing))


def _any_of(names: tuple[str, ...]) -> str:
    return " or ".join(names)


def _when(ahead: Ahead, now_ms: int) -> str:
    if ahead.at_ms is None:
        return "never, by its business hours,"
    return f"in {max(0, ahead.at_ms - now_ms + 999) // 1000} s"
