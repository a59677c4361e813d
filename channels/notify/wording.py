"""A notice in words, English and Korean, the same for every means. Pure: the same notice always reads the same."""

from datetime import datetime
from typing import Final, Literal, NamedTuple
from zoneinfo import ZoneInfo

from router.contract.codec import rfc3339
from router.contract.messages import Notice

Language = Literal["en", "ko"]

_CLOCKS: Final[dict[Language, dict[str, str]]] = {
    "en": {
        "first_response": "first response",
        "next_response": "next response",
        "resolution": "resolution",
        "assignment": "time to assignment",
    },
    "ko": {"first_response": "첫 응답", "next_response": "다음 응답", "resolution": "해결", "assignment": "배정"},
}
_HAPPENINGS: Final[dict[Language, dict[str, str]]] = {
    "en": {
        "warning": "SLA warning",
        "breach": "SLA breach",
        "step": "Escalation step {step}",
        "delivery-failed": "A reply could not be delivered",
        "missed-offers": "Offers were missed",
        "": "Notice ({kind})",
    },
    "ko": {
        "warning": "SLA 경고",
        "breach": "SLA 위반",
        "step": "에스컬레이션 {step}단계",
        "delivery-failed": "답변이 전달되지 않았습니다",
        "missed-offers": "제안을 놓쳤습니다",
        "": "알림 ({kind})",
    },
}
_LABELS: Final[dict[Language, tuple[str, str, str, str, str]]] = {
    "en": ("Case", "Queue", "Priority", "Due", "For"),
    "ko": ("케이스", "대기열", "우선순위", "기한", "담당"),
}
_ABOUT_CLOCKS: Final = frozenset({"warning", "breach", "step"})


class Words(NamedTuple):
    """What a card shows: a headline, and facts with their labels."""

    title: str
    facts: tuple[tuple[str, str], ...]


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


def words(notice: Notice, language: Language, zone: ZoneInfo) -> Words:
    """The notice for people, with times as a clock on the wall of that zone shows them."""
    case, queue, priority, due, staff = _LABELS[language]
    facts = [(case, str(notice.case))]
    if notice.queue:
        facts.append((queue, notice.queue))
    facts.append((priority, str(notice.priority)))
    if notice.due_at_ms is not None:
        facts.append((due, datetime.fromtimestamp(notice.due_at_ms / 1000, zone).strftime("%Y-%m-%d %H:%M %Z")))
    if notice.staff:
        facts.append((staff, ", ".join(notice.staff)))
    return Words(title(notice, language), tuple(facts))
