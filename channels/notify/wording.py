"""A notice in words, English and Korean, the same for every means. Pure: the same notice always reads the same."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from channels.notify.headlines import Language, title
from router.contract.codec import rfc3339
from router.contract.ids import AdvisorId, CaseId
from router.contract.messages import Notice
from router.runtime.notifiers import Bulletin

_LABELS: Final[dict[Language, dict[str, str]]] = {
    "en": {
        "case": "Case",
        "queue": "Queue",
        "priority": "Priority",
        "due": "Due",
        "owner": "With",
        "tier": "Tier",
        "advisor": "Advisor",
        "asked_by": "Asked by",
        "staff": "For",
    },
    "ko": {
        "case": "케이스",
        "queue": "대기열",
        "priority": "우선순위",
        "due": "기한",
        "owner": "담당",
        "tier": "등급",
        "advisor": "상담사",
        "asked_by": "요청한 상담사",
        "staff": "받는 사람",
    },
}
_NOBODY: Final[dict[Language, str]] = {"en": "nobody, it waits", "ko": "없음 (대기 중)"}
_TOP: Final[dict[Language, str]] = {"en": "none is left above, it is yours", "ko": "위 등급 없음, 직접 확인해 주세요"}
_OVERDUE: Final[dict[Language, str]] = {"en": "overdue", "ko": "초과"}
_SEVERAL: Final[dict[Language, tuple[str, str]]] = {
    "en": ("{number} notices", "and {number} more"),
    "ko": ("알림 {number}건", "외 {number}건"),
}
_AGAIN: Final[dict[Language, str]] = {
    "en": "This may be a repeat: it is not known whether it arrived the first time.",
    "ko": "같은 알림이 이미 전송되었을 수 있습니다. 첫 전송 결과를 확인하지 못했습니다.",
}
_DOT: Final = " \N{MIDDLE DOT} "
_KINDS_SHOWN: Final = 5
LINES_SHOWN: Final = 20
"""More is no list that anybody reads."""


Naming = Callable[[AdvisorId], str]
"""What people call an advisor."""

Fact = tuple[str, str]
"""A label and what it says."""


class Line(NamedTuple):
    """One notice among several."""

    text: str
    case: CaseId


class Words(NamedTuple):
    """What a message shows: a headline, and facts with their labels or, of several notices, a line each; ``more`` says
    how many are left out, ``again`` that it may stand there already."""

    title: str
    facts: tuple[Fact, ...] = ()
    lines: tuple[Line, ...] = ()
    more: str = ""
    again: str = ""


def summary(notice: Notice) -> str:
    """One English line: what happened, to which case, what is due when. Nothing of the customer's."""
    queue = f" in queue {notice.queue}" if notice.queue else ""
    due = "" if notice.due_at_ms is None else f", due {rfc3339(notice.due_at_ms)}"
    return f"{title(notice, 'en')}: case {notice.case}{queue}, priority {notice.priority}{due}."


def words(told: Bulletin, language: Language, zone: ZoneInfo, *, naming: Naming = str) -> Words:
    """The message for people, with times as a clock on the wall of that zone shows them."""
    again = _AGAIN[language] if told.again else ""
    if len(told.notices) == 1:
        facts = (*_of_case(told.first, language, zone, naming), *_of_people(told.first, language, naming))
        case = (_LABELS[language]["case"], str(told.first.case))
        return Words(title(told.first, language), (*facts, case), again=again)
    counts = Counter(title(notice, language) for notice in told.notices)
    several, more = _SEVERAL[language]
    said = ", ".join(f"{name} \N{MULTIPLICATION SIGN}{number}" for name, number in counts.most_common(_KINDS_SHOWN))
    hidden = len(told.notices) - LINES_SHOWN
    return Words(
        title=f"{several.format(number=len(told.notices))}: {said}",
        lines=tuple(_line(notice, language, zone, naming) for notice in told.notices[:LINES_SHOWN]),
        more=more.format(number=hidden) if hidden > 0 else "",
        again=again,
    )


def _line(notice: Notice, language: Language, zone: ZoneInfo, naming: Naming) -> Line:
    facts = (*_of_case(notice, language, zone, naming), (_LABELS[language]["case"], str(notice.case)))
    return Line(_DOT.join((title(notice, language), *(f"{label} {said}" for label, said in facts))), notice.case)


def _of_case(notice: Notice, language: Language, zone: ZoneInfo, naming: Naming) -> list[Fact]:
    """How it stands, what is most urgent to know first; what the notice doesn't say is left out."""
    labels = _LABELS[language]
    facts = [(labels["queue"], notice.queue)] if notice.queue else []
    facts.append((labels["priority"], str(notice.priority)))
    if notice.due_at_ms is not None:
        facts.append((labels["due"], _due(notice, notice.due_at_ms, language, zone)))
    if notice.owner is not None:
        facts.append((labels["owner"], naming(AdvisorId(notice.owner)) if notice.owner else _NOBODY[language]))
    return facts


def _of_people(notice: Notice, language: Language, naming: Naming) -> list[Fact]:
    """Whose it is to act, who asks for it, whom it is for."""
    labels = _LABELS[language]
    facts = [(labels["tier"], _TOP[language])] if notice.top else []
    if notice.about:
        facts.append((labels["asked_by" if notice.trigger == "by-hand" else "advisor"], naming(notice.about)))
    if notice.staff:
        facts.append((labels["staff"], ", ".join(map(naming, notice.staff))))
    return facts


def _due(notice: Notice, due_at_ms: int, language: Language, zone: ZoneInfo) -> str:
    said = datetime.fromtimestamp(due_at_ms / 1000, zone).strftime("%Y-%m-%d %H:%M %Z")
    return f"{said} ({_OVERDUE[language]})" if due_at_ms <= notice.at_ms else said
