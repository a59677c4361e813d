"""What things are called, and why filters take advisors out, in English and in Korean. Pure."""

from collections.abc import Mapping
from typing import Final

from router.api.wording.phrases import Language, in_language
from router.engine.eligibility import Filter

_REASONS: Final[Mapping[str, tuple[str, str]]] = {
    Filter.PRESENCE: ("not online for its channel", "이 채널에 온라인이 아닙니다"),
    Filter.QUEUE: ("not serving this queue", "이 대기열을 담당하지 않습니다"),
    Filter.TIER: ("not of a tier this queue asks for", "대기열이 요구하는 등급이 아닙니다"),
    Filter.SKILL: ("without a needed skill at its level", "필요한 기술 수준에 미치지 못합니다"),
    Filter.LANGUAGE: ("not speaking the customer's language well enough", "고객의 언어 수준이 부족합니다"),
    Filter.EXCLUDED: (
        "excluded, or has just declined or missed it",
        "배정에서 제외되었거나, 방금 거절했거나 응답하지 않았습니다",
    ),
    Filter.HELD: ("not the one it is kept for", "먼저 배정받을 상담사가 아닙니다"),
    Filter.ROOM: ("without room for it", "맡을 여유가 없습니다"),
}

_NAMES: Final[Mapping[str, tuple[str, str]]] = {
    "queue": ("queue", "대기열"),
    "priority": ("priority", "우선순위"),
    "wants": ("skills", "필요한 기술"),
    "policy": ("policy", "SLA 정책"),
    "ladder": ("ladder", "에스컬레이션"),
    "acknowledge": ("acknowledgement", "자동 접수 안내"),
    "labels": ("labels", "라벨"),
    "language": ("language", "언어"),
    "exclude": ("excluded advisors", "배정 제외"),
    "first_response": ("first response", "첫 응답"),
    "next_response": ("next response", "다음 응답"),
    "resolution": ("resolution", "해결"),
    "assignment": ("assignment", "배정"),
    "update": ("update", "경과 안내"),
    "third_party": ("third party", "외부 기관 처리"),
    "customer": ("customer", "고객"),
    "third-party": ("third-party", "외부 기관"),
    "internal": ("internal", "사내 부서"),
}
"""What rules set, the clocks, and for whom a case waits, as people call them."""


def reason(language: Language, name: str) -> str:
    """Why a filter takes somebody out; the name of a filter that a newer version recorded."""
    return in_language(language, _REASONS[name]) if name in _REASONS else name


def named(language: Language, name: str) -> str:
    """What a rule sets, a clock, or for whom a case waits, as people call it; itself where it has no other name."""
    return in_language(language, _NAMES[name]) if name in _NAMES else name
