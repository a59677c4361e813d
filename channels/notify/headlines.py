"""What happened, as the first line of a notice, English and Korean. Pure.

A step of a ladder is called after what it came for, since that is what somebody has to do something about; its number
stands behind it. One of a version that says something else is called by its number alone.
"""

from typing import Final, Literal

from router.contract.messages import Notice

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
_RUNNING: Final[dict[Language, dict[str, str]]] = {
    "en": {
        "first_response": "No first response yet",
        "next_response": "The customer waits for an answer",
        "resolution": "Not resolved yet",
        "assignment": "Nobody has taken it yet",
        "update": "The customer waits for an update",
        "third_party": "A third party has not answered yet",
    },
    "ko": {
        "first_response": "첫 응답 대기 중",
        "next_response": "다음 응답 대기 중",
        "resolution": "아직 해결되지 않음",
        "assignment": "담당자 배정 대기 중",
        "update": "진행 안내 필요",
        "third_party": "협력사 회신 대기 중",
    },
}
_OVERDUE: Final[dict[Language, dict[str, str]]] = {
    "en": {
        "first_response": "First response overdue",
        "next_response": "Next response overdue",
        "resolution": "Resolution overdue",
        "assignment": "Assignment overdue",
        "update": "Update to the customer overdue",
        "third_party": "Third party overdue",
    },
    "ko": {
        "first_response": "첫 응답 기한 초과",
        "next_response": "다음 응답 기한 초과",
        "resolution": "해결 기한 초과",
        "assignment": "배정 기한 초과",
        "update": "진행 안내 기한 초과",
        "third_party": "협력사 회신 기한 초과",
    },
}
_TRIGGERS: Final[dict[Language, dict[str, str]]] = {
    "en": {
        "missed": "Offers were missed",
        "message": "Read what the customer wrote",
        "by-hand": "Escalated by hand",
    },
    "ko": {
        "missed": "배정 제안을 놓침",
        "message": "고객 메시지 확인 필요",
        "by-hand": "직접 에스컬레이션 요청",
    },
}
_OF_CLOCKS: Final = frozenset({"share", "after"})
_STEP: Final[dict[Language, str]] = {"en": "escalation step {step}", "ko": "에스컬레이션 {step}단계"}
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
_ABOUT_CLOCKS: Final = frozenset({"warning", "breach", "step"})


def title(notice: Notice, language: Language) -> str:
    """What happened, and to which clock."""
    reason = _reason(notice, language) if notice.kind == "step" else None
    if reason is not None:
        return f"{reason} ({_STEP[language].format(step=notice.step)})"
    known = _HAPPENINGS[language]
    said = known.get(notice.kind, known[""]).format(step=notice.step, kind=notice.kind)
    clock = _CLOCKS[language].get(notice.clock, notice.clock.replace("_", " "))
    return f"{said} ({clock})" if clock and notice.kind in _ABOUT_CLOCKS else said


def _reason(notice: Notice, language: Language) -> str | None:
    """Why a step came; None when that isn't known here."""
    if notice.trigger in _OF_CLOCKS:
        is_overdue = notice.due_at_ms is not None and notice.due_at_ms <= notice.at_ms
        return (_OVERDUE if is_overdue else _RUNNING)[language].get(notice.clock)
    return _TRIGGERS[language].get(notice.trigger)
