"""What would free a waiting case, as the API shows it: each single change, and the first of whom it is true. Pure."""

import itertools
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from router.api.phrases import OF_ADVISORS, OF_TIME, Language, Phrase, say
from router.api.views import View
from router.contract.case import CaseDetail
from router.contract.codec import rfc3339
from router.engine.decide import Waiting
from router.engine.eligibility import Filter
from router.engine.freeing import Change, Moment, Way, change_of, moments, ways
from router.engine.roster import Roster
from rules import Rulebook

NAMED: Final = 3


class ChangeView(View, frozen=True, kw_only=True):
    """A change that would place the case. ``change``: ``presence``, ``room``, ``skill``, ``language``, ``queue`` or
    ``tier``, of any of ``count`` advisors, the first of them in ``advisors``; or ``hold``, ``cool-down`` or ``step``,
    which time brings at ``at``. ``name`` and ``level`` say of which skill, queue and so on. ``text`` is all that in
    words."""

    change: str
    text: str
    count: int = 0
    advisors: tuple[str, ...] = ()
    name: str = ""
    level: int = 0
    at: str | None = None


class Scene(NamedTuple):
    """What a waiting case is looked at with: ``heads`` are those of all lines."""

    roster: Roster
    rulebook: Rulebook
    heads: Sequence[Waiting]
    now_ms: int


def would_free(mine: Waiting, detail: CaseDetail, scene: Scene, language: Language) -> Iterator[ChangeView]:
    """Every change of one advisor or of the case that is enough alone; what time brings comes first."""
    for moment in moments(scene.roster, detail, mine.waiting, scene.rulebook, scene.now_ms):
        yield _of_time(moment, language)
    for way in ways(scene.roster, mine.waiting):
        yield _of_advisors(way, mine, scene, language)


def _of_time(moment: Moment, language: Language) -> ChangeView:
    at = rfc3339(moment.at_ms)
    text = say(language, OF_TIME[moment.passing], name=moment.name, at=at)
    return ChangeView(change=moment.passing, text=text, name=moment.name, at=at)


def _of_advisors(way: Way, mine: Waiting, scene: Scene, language: Language) -> ChangeView:
    rivals = [head for head in scene.heads if head.case != mine.case]
    first = [
        change_of(member.state, way, mine, rivals, scene.rulebook, scene.now_ms)
        for member in itertools.islice(scene.roster.members(way.advisors), NAMED)
    ]
    count = way.advisors.bit_count()
    who = ", ".join(_told(change, language) for change in first)
    who += say(language, Phrase.MORE) if count > len(first) else ""
    text = say(language, OF_ADVISORS[way.lacks], who=who, name=way.name, level=way.level)
    advisors = tuple(change.advisor for change in first)
    return ChangeView(change=way.lacks, text=text, count=count, advisors=advisors, name=way.name, level=way.level)


def _told(change: Change, language: Language) -> str:
    text = str(change.advisor)
    if change.lacks is Filter.ROOM and change.units:
        text += say(language, Phrase.MORE_UNITS, units=change.units)
    if change.first is not None:
        text += say(language, Phrase.FIRST, case=change.first)
    return text
