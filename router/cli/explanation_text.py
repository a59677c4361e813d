"""The explanation of a case as text. Pure: the page and the zone come in."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, tzinfo
from typing import Any, Final, NamedTuple

from router.cli.climb_text import climbed, to_come

_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z")


class _Said(NamedTuple):
    head: str
    owner: str
    rulebook: str
    decided: str
    removed: str
    here: str
    others: str
    waiting: str
    frees: str
    climbed: str
    to_come: str
    states: Mapping[str, str]


_SAID: Final = {
    "en": _Said(
        head="case {id}: {state}{owner}, queue {queue}, priority {priority}",
        owner=", with {owner}",
        rulebook="rulebook {rulebook}",
        decided=", decided at {at}",
        removed="{count} {reason}{first}",
        here="why here",
        others="why not the others, when it was decided",
        waiting="what it waits for now",
        frees="what would free it, each alone",
        climbed="how it climbed",
        to_come="steps of its ladder to come",
        states={},
    ),
    "ko": _Said(
        head="문의 {id}: {state}{owner}, 대기열 {queue}, 우선순위 {priority}",
        owner=", 담당 상담사 {owner}",
        rulebook="규칙 버전 {rulebook}",
        decided=", 결정 시각 {at}",
        removed="상담사 {count}명: {reason}{first}",
        here="배정 근거",
        others="결정 당시 제외된 상담사",
        waiting="지금 기다리는 이유",
        frees="한 가지만 바뀌어도 배정되는 조건",
        climbed="에스컬레이션 이력",
        to_come="남은 에스컬레이션 단계",
        states={
            "queued": "대기 중",
            "offered": "수락 대기 중",
            "assigned": "배정됨",
            "parked": "보류 중",
            "pending": "회신 대기 중",
            "resolved": "처리 완료",
        },
    ),
}


def explanation_lines(page: Mapping[str, Any], language: str) -> Iterator[str]:
    """The page of ``/v1/cases/{case}`` line by line: why it is where it is, and what would free it."""
    case, told, said = page["case"], page["explanation"], _SAID[language]
    owner = said.owner.format(owner=case["owner"]) if case.get("owner") else ""
    state = said.states.get(case["state"], case["state"])
    yield said.head.format(id=case["id"], state=state, owner=owner, queue=case["queue"], priority=case["priority"])
    decided = said.decided.format(at=told["decided_at"]) if told.get("decided_at") else ""
    yield said.rulebook.format(rulebook=case["rulebook"]) + decided
    yield from _part(said.here, told["why_here"])
    yield from _part(said.others, (_removed(out, said) for out in told.get("why_not", ())))
    yield from _part(said.waiting, told.get("why_waiting", ()))
    yield from _part(said.climbed, (climbed(step, language) for step in case.get("escalations", ())))
    yield from _part(said.to_come, (to_come(step, language) for step in told.get("climbs", ())))
    yield from _part(said.frees, [change["text"] for change in told.get("would_free", ())])


def in_zone(line: str, zone: tzinfo | None) -> str:
    """A line with its instants as a clock on the wall of that zone shows them, to the second; without a zone, of this
    machine's."""
    return _INSTANT.sub(lambda found: _moment(found[0], zone), line)


def _moment(instant: str, zone: tzinfo | None) -> str:
    at = datetime.fromisoformat(instant).astimezone(zone)
    return f"{at:%Y-%m-%d %H:%M:%S %Z}"


def _removed(out: Mapping[str, Any], said: _Said) -> str:
    first = f" ({', '.join(out['first'])})" if out.get("first") else ""
    return said.removed.format(count=out["count"], reason=out["reason"], first=first)


def _part(title: str, lines: Iterable[str]) -> Iterator[str]:
    for number, line in enumerate(lines):
        if number == 0:
            yield f"{title}:"
        yield f"  {line}"
