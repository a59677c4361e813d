"""What would free a waiting case, as the API shows it: each single change, and the first of whom it is true. Pure."""

import itertools
from collections.abc import Iterator, Sequence
from typing import Final

from router.api.views import View
from router.api.wording.phrases import OF_ADVISORS, OF_RULES, OF_TIME, Language, Phrase, say
from router.contract.case import CaseDetail
from router.contract.codec import rfc3339
from router.engine.decide import Waiting
from router.engine.eligibility import Filter
from router.engine.freeing import Change, Ground, Moment, Passing, Way, change_by, change_of, lifts, moments, ways
from router.engine.interrupting import Allowance, allowances
from router.engine.relaxation import steps_of
from router.engine.roster import Member
from rules.membership import queue_of

NAMED: Final = 3


class ChangeView(View, frozen=True, kw_only=True):
    """A change that would place the case. ``change``: ``presence``, ``room``, ``skill``, ``language``, ``queue`` or
    ``tier``, of any of ``count`` advisors, the first of them in ``advisors``; ``excluded``, which a supervisor can lift
    for any of these; ``interrupts`` or ``interruptible``, which the rules would have to say of a channel, for any of
    these; or ``hold``, ``cool-down`` or ``step``, which time brings at ``at``. ``name`` and ``level`` say of which
    skill, queue and so on. ``text`` is all that in words."""

    change: str
    text: str
    count: int = 0
    advisors: tuple[str, ...] = ()
    name: str = ""
    level: int = 0
    at: str | None = None


def would_free(mine: Waiting, detail: CaseDetail, ground: Ground, language: Language) -> Iterator[ChangeView]:
    """Every change of one advisor, of the case or of the rules that is enough alone; what time brings comes first."""
    for moment in moments(ground.roster, detail, mine.waiting, ground.rulebook, ground.now_ms):
        yield _of_time(moment, _joining(moment, detail, ground), language)
    for way in ways(ground.roster, mine.waiting, ground.rulebook):
        yield _of_advisors(way, mine, ground, language)
    if lifted := tuple(lifts(detail, mine, ground)):
        yield _of_exclusions(lifted, mine, language)
    for allowance in allowances(ground.roster, mine.waiting, ground.rulebook):
        yield _of_rules(allowance, mine, ground, language)


def _joining(moment: Moment, detail: CaseDetail, ground: Ground) -> str | None:
    """The queue whose secondary members join then, if that is what the time brings."""
    if moment.passing is not Passing.STEP:
        return None
    step = steps_of(detail, ground.rulebook)[int(moment.name) - 1]
    return queue_of(step.queues[0]) if step.queues else None


def _of_time(moment: Moment, joining: str | None, language: Language) -> ChangeView:
    at = rfc3339(moment.at_ms)
    phrase = OF_TIME[moment.passing] if joining is None else Phrase.SECONDARY_JOIN
    text = say(language, phrase, name=joining or moment.name, at=at)
    return ChangeView(change=moment.passing, text=text, name=moment.name, at=at)


def _of_advisors(way: Way, mine: Waiting, ground: Ground, language: Language) -> ChangeView:
    first = [change_of(member.state, way, mine, ground) for member in _first(way.advisors, ground)]
    count = way.advisors.bit_count()
    who = _who(first, count, mine.waiting.channel, language)
    phrase = Phrase.SPEAKS_AT if way.lacks is Filter.LANGUAGE and way.level > 1 else OF_ADVISORS[way.lacks]
    text = say(language, phrase, who=who, name=way.name, level=way.level)
    advisors = tuple(change.advisor for change in first)
    return ChangeView(change=way.lacks, text=text, count=count, advisors=advisors, name=way.name, level=way.level)


def _of_exclusions(lifted: Sequence[Change], mine: Waiting, language: Language) -> ChangeView:
    first = lifted[:NAMED]
    text = say(language, OF_ADVISORS[Filter.EXCLUDED], who=_who(first, len(lifted), mine.waiting.channel, language))
    advisors = tuple(change.advisor for change in first)
    return ChangeView(change=Filter.EXCLUDED, text=text, count=len(lifted), advisors=advisors)


def _of_rules(allowance: Allowance, mine: Waiting, ground: Ground, language: Language) -> ChangeView:
    first = [change_by(member.state, allowance, mine, ground) for member in _first(allowance.advisors, ground)]
    count = allowance.advisors.bit_count()
    who = _who(first, count, mine.waiting.channel, language)
    text = say(language, OF_RULES[allowance.allowing], who=who, name=allowance.channel)
    advisors = tuple(change.advisor for change in first)
    return ChangeView(change=allowance.allowing, text=text, count=count, advisors=advisors, name=allowance.channel)


def _first(advisors: int, ground: Ground) -> Iterator[Member]:
    return itertools.islice(ground.roster.members(advisors), NAMED)


def _who(first: Sequence[Change], count: int, channel: str, language: Language) -> str:
    told = ", ".join(_told(change, channel, language) for change in first)
    return told + (say(language, Phrase.MORE) if count > len(first) else "")


def _told(change: Change, channel: str, language: Language) -> str:
    text = str(change.advisor)
    if change.units:
        text += say(language, Phrase.MORE_UNITS, units=change.units)
    if change.cap is not None:
        text += say(language, Phrase.CAP_REACHED, cap=change.cap, channel=channel)
    if change.is_online:
        text += say(language, Phrase.AWAY_FROM, channel=channel)
    if change.first is not None:
        text += say(language, Phrase.FIRST, case=change.first)
    elif change.park:
        text += say(language, Phrase.WOULD_PARK, cases=", ".join(change.park[:NAMED]))
    return text
