"""What advisors write: an answer, or a question back, always naming what it answers and itself. Pure."""

from collections.abc import Sequence
from random import Random
from typing import Final

_ANSWERS: Final = {
    "en": (
        "Thank you for writing. I have looked into it and put it right.",
        "I am sorry for the trouble. It is settled now, and nothing is left for you to do.",
        "I have checked this with the team. All is in order again.",
    ),
    "ko": (
        "문의해 주셔서 감사합니다. 확인하고 바로 처리해 드렸습니다.",
        "불편을 드려 죄송합니다. 모두 처리되었으니 더 하실 일은 없습니다.",
        "담당 부서와 확인했습니다. 이제 모두 정상입니다.",
    ),
}
_QUESTIONS: Final = {
    "en": "Before I go on I need to be sure: is it the latest one you mean?",
    "ko": "처리하기 전에 여쭙니다. 가장 최근 건이 맞으신가요?",
}
_GREETINGS: Final = {"en": "Hello, {name} here.", "ko": "안녕하세요, {name}입니다."}


def answer(random: Random, *, language: str, name: str, about: Sequence[str], mark: str) -> str:
    """An answer to the messages with these tokens."""
    return _text(random.choice(_ANSWERS[language]), language=language, name=name, about=about, mark=mark)


def question(*, language: str, name: str, about: Sequence[str], mark: str) -> str:
    """A question back, which the customer will answer."""
    return _text(_QUESTIONS[language], language=language, name=name, about=about, mark=mark)


def is_question(text: str) -> bool:
    """Whether a reply asks something back."""
    return any(question in text for question in _QUESTIONS.values())


def _text(said: str, *, language: str, name: str, about: Sequence[str], mark: str) -> str:
    return f"{_GREETINGS[language].format(name=name)} {said}\n[{', '.join(about)}]\n[{mark}]"
