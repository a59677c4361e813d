"""Steps of ladders for people at a terminal, in English or Korean: those that a case took, and those to come. Pure."""

from collections.abc import Mapping
from typing import Any, Final

_TRIGGERS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "share": "its clock",
        "after": "its clock",
        "missed": "missed offers",
        "message": "a message",
        "by-hand": "by hand",
        "lowered": "lowered",
        "handed": "handed on",
    },
    "ko": {
        "share": "시한 경과",
        "after": "시한 경과",
        "missed": "응답 없는 배정 요청",
        "message": "고객 메시지",
        "by-hand": "직접 요청",
        "lowered": "하향",
        "handed": "이관",
    },
}
_STEP: Final = {"en": "step {number}", "ko": "{number}단계"}
_PARTS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {"by": "by {}", "owner": "{} had it", "tier": "to tier {}"},
    "ko": {"by": "실행 {}", "owner": "당시 담당 {}", "tier": "등급 {}로"},
}


def climbed(step: Mapping[str, Any], language: str) -> str:
    """When the case came to a step, what for, who brought it there and had it then, and the reason he gave; each as
    far as it is known."""
    parts = [words.format(step[name]) for name, words in _PARTS[language].items() if step.get(name)]
    reason = f": {step['reason']}" if step.get("reason") else ""
    return f"{step['at']} {_numbered(step, language)} ({', '.join([_trigger(step, language), *parts])}){reason}"


def to_come(step: Mapping[str, Any], language: str) -> str:
    """When a step comes, or else what it waits for, and what it does."""
    return f"{_numbered(step, language)} ({step.get('at') or _trigger(step, language)}): {', '.join(step['does'])}"


def _numbered(step: Mapping[str, Any], language: str) -> str:
    return _STEP[language].format(number=step["step"])


def _trigger(step: Mapping[str, Any], language: str) -> str:
    """A newer server's trigger stands as it is."""
    return _TRIGGERS[language].get(step["trigger"], str(step["trigger"]))
