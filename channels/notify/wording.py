"""A notice in words, English and Korean, the same for every means. Pure: the same notice always reads the same."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Final, Literal, NamedTuple
from zoneinfo import ZoneInfo

from router.contract.codec import rfc3339
from router.contract.ids import AdvisorId, CaseId
from router.contract.messages import Notice
from router.runtime.notifiers import Bulletin

Language = Literal["en", "ko"]

_CLOCKS: Final[dict[Language, dict[str, str]]] = {
    "en": {
        "first_response": "first response",
        "next_response": "next response",
        "resolution": "resolution",
        "assignment": "time to assignment",
        "update": "time to update",
        "third_party": "third party",
    },
    "ko": {
        "first_response": "첫 응답",
        "next_response": "다음 응답",
        "resolution": "해결",
        "assignment": "배정",
        "update": "진행 안내",
        "third_party": "협력사",
    },
}
_HAPPENINGS: Final[dict[Language, dict[str, str]]] = {
    "en": {
        "warning": "SLA warning",
        "breach": "SLA breach",
        "step": "Escalation step {step}",
        "delivery-failed": "A reply could not be delivered",
        "missed-offers": "An advisor missed offers and is away now",
        "chaser": "A third party is late (reminder {step})",
        "": "Notice ({kind})",
    },
    "ko": {
        "warning": "SLA 경고",
        "breach": "SLA 위반",
        "step": "에스컬레이션 {step}단계",
        "delivery-failed": "답변이 전달되지 않았습니다",
        "missed-offers": "상담사가 제안에 응답하지 않아 자리 비움으로 바뀌었습니다",
        "chaser": "협력사 회신이 늦어지고 있습니다 (알림 {step}회차)",
        "": "알림 ({kind})",
    },
}
_LABELS: Final[dict[Language, tuple[str, str, str, str, str]]] = {
    "en": ("Case", "Queue", "Priority", "Due", "For"),
    "ko": ("케이스", "대기열", "우선순위", "기한", "받는 사람"),
}
_ADVISOR: Final[dict[Language, str]] = {"en": "Advisor", "ko": "상담사"}
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
_ABOUT_CLOCKS: Final = frozenset({"warning", "breach", "step"})


Naming = Callable[[AdvisorId], str]
"""What people call an advisor."""


class Line(NamedTuple):
    """One notice among several."""

    text: str
    case: CaseId


class Words(NamedTuple):
    """What a message shows: a headline, and facts with their labels or, of several notices, a line each; ``more`` says
    how many are left out, ``again`` that it may stand there already."""

    title: str
    facts: tuple[tuple[str, str], ...] = ()
    lines: tuple[Line, ...] = ()
    more: str = ""
    again: str = ""


def summary(notice: Notice) -> str:
    """One English line: what happened, to which case, what is due when. Nothing of the customer's."""
    queue = f" in queue {notice.queue}" if notice.queue else ""
    due = "" if notice.due_at_ms is None else f", due {rfc3339(notice.due_at_ms)}"
    return f"{title(notice, 'en')}: case {notice.case}{queue}, priority {notice.priority}{due}."


def title(notice: Notice, language: Language) -> str:
    """What happened, and to which clock."""
    known = _HAPPENINGS[language]
    said = known.get(notice.kind, known[""]).format(step=notice.step, kind=notice.kind)
    clock = _CLOCKS[language].get(notice.clock, notice.clock.replace("_", " "))
    return f"{said} ({clock})" if clock and notice.kind in _ABOUT_CLOCKS else said


def words(told: Bulletin, language: Language, zone: ZoneInfo, *, naming: Naming = str) -> Words:
    """The message for people, with times as a clock on the wall of that zone shows them."""
    again = _AGAIN[language] if told.again else ""
    if len(told.notices) == 1:
        return _single(told.first, language, zone, naming)._replace(again=again)
    counts = Counter(title(notice, language) for notice in told.notices)
    several, more = _SEVERAL[language]
    said = ", ".join(f"{name} \N{MULTIPLICATION SIGN}{number}" for name, number in counts.most_common(_KINDS_SHOWN))
    hidden = len(told.notices) - LINES_SHOWN
    return Words(
        title=f"{several.format(number=len(told.notices))}: {said}",
        lines=tuple(_line(notice, language, zone) for notice in told.notices[:LINES_SHOWN]),
        more=more.format(number=hidden) if hidden > 0 else "",
        again=again,
    )


def _line(notice: Notice, language: Language, zone: ZoneInfo) -> Line:
    case, queue, priority, due, _ = _LABELS[language]
    facts = [f"{case} {notice.case}", f"{priority} {notice.priority}"]
    if notice.queue:
        facts.insert(1, f"{queue} {notice.queue}")
    if notice.due_at_ms is not None:
        facts.append(f"{due} {_due(notice, notice.due_at_ms, language, zone)}")
    return Line(_DOT.join((title(notice, language), *facts)), notice.case)


def _single(notice: Notice, language: Language, zone: ZoneInfo, naming: Naming) -> Words:
    case, queue, priority, due, staff = _LABELS[language]
    facts = [(case, str(notice.case))]
    if notice.queue:
        facts.append((queue, notice.queue))
    facts.append((priority, str(notice.priority)))
    if notice.due_at_ms is not None:
        facts.append((due, _due(notice, notice.due_at_ms, language, zone)))
    if notice.about:
        facts.append((_ADVISOR[language], naming(notice.about)))
    if notice.staff:
        facts.append((staff, ", ".join(map(naming, notice.staff))))
    return Words(title(notice, language), tuple(facts))


def _due(notice: Notice, due_at_ms: int, language: Language, zone: ZoneInfo) -> str:
    said = datetime.fromtimestamp(due_at_ms / 1000, zone).strftime("%Y-%m-%d %H:%M %Z")
    return f"{said} ({_OVERDUE[language]})" if due_at_ms <= notice.at_ms else said
