"""The last decision on a case as text, an advisor a line. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple


class _Said(NamedTuple):
    head: str
    differs: str
    able: str


_SAID: Final = {
    "en": _Said(
        "case {case}: decided at {at} by {strategy}, rulebook {rulebook}",
        "the router that decided saw something else, such as decisions of its own that were under way",
        "{able} of {considered} advisors could have had it",
    ),
    "ko": _Said(
        "문의 {case}: {at}에 {strategy} 방식으로 결정, 규칙 버전 {rulebook}",
        "결정한 라우터는 진행 중이던 다른 결정 등, 지금 재현한 것과 다른 상황을 보고 있었습니다",
        "상담사 {considered}명 중 {able}명이 맡을 수 있었습니다",
    ),
}


def decision_lines(page: Mapping[str, Any], language: str) -> Iterator[str]:
    """Who had it is marked with a star; who could have had it has his place and terms, the others what they lacked."""
    said = _SAID[language]
    yield said.head.format(
        case=page["case"], at=page["decided_at"], strategy=page["strategy"], rulebook=page["rulebook"]
    )
    if page.get("note"):
        yield page["note"]
    if page.get("agrees") is False:
        yield said.differs
    if "able" in page:
        yield said.able.format(able=page["able"], considered=page["considered"])
    for one in page.get("advisors", ()):
        yield _line(one, is_winner=one["advisor"] == page.get("winner"))


def _line(one: Mapping[str, Any], *, is_winner: bool) -> str:
    star = "*" if is_winner else " "
    if "place" not in one:
        return f"{star}    - {one['advisor']}: {'; '.join(one['reasons'])}"
    terms = ", ".join(f"{name} {value:g}" for name, value in one.get("terms", {}).items())
    return f"{star} {one['place']:>3}. {one['advisor']} ({terms})"
