"""Whom a notice goes to: by what they are to the case, by their hours, and not in quiet ones."""

import pytest

from router.contract.advisor import AdvisorState, Profile, write_profile
from router.contract.case import CaseDetail, CaseState, CaseStatus
from router.contract.codec import Decoder, from_rfc3339
from router.contract.ids import AccountId, AdvisorId, CaseId, ConversationId, InquiryId, PoolId
from router.contract.messages import Notice
from router.engine import telling
from router.engine.roster import Roster
from router.engine.telling import LONGEST_QUIET_MS, Happening, Teller
from rules import load
from rules.verdict import Verdict

RULES = load(
    {
        "a.yaml": """
defaults: {queue: general}
calendars:
  days: {time_zone: Asia/Seoul, week: {mon-fri: [09:00-18:00]}}
  nights: {time_zone: Asia/Seoul, week: {mon-fri: [18:00-24:00]}}
teams:
  seoul: {leads: [{advisor: minji, calendar: days}, {advisor: jun, calendar: nights}]}
  busan: {leads: [{advisor: bora}]}
supervisors: [{advisor: hana, calendar: days}, {advisor: duri, calendar: nights}]
quiet:
  pager: {calendar: days, urgent: 1}
policies: {standard: {first_response_s: 3600, resolution_s: 86400}}
queues:
  general: {policy: standard, team: seoul, notify: room}
  alone: {policy: standard}
outcomes: {solved: Solved}
"""
    }
)
NOTICE = Decoder(Notice)
MONDAY_10 = from_rfc3339("2026-03-02T01:00:00Z")
MONDAY_20 = from_rfc3339("2026-03-02T11:00:00Z")
TUESDAY_9 = from_rfc3339("2026-03-03T00:00:00Z")
MONDAY_3 = from_rfc3339("2026-03-01T18:00:00Z")


def teller(now_ms: int) -> Teller:
    roster = Roster()
    for name, team in (("sora", "busan"), ("yuna", "")):
        roster.apply(AdvisorState(id=AdvisorId(name), ver=1, gen=1, profile=write_profile(Profile(team=team))))
    return Teller(PoolId("default"), RULES, roster, now_ms)


def case(owner: str) -> CaseState:
    return CaseState(
        id=CaseId("c1"),
        state=CaseStatus.ASSIGNED if owner else CaseStatus.QUEUED,
        ver=3,
        gen=1,
        conversation=ConversationId("t"),
        channel="email",
        units=10,
        owner=owner,
        opened_at_ms=MONDAY_3,
        changed_at_ms=MONDAY_3,
    )


def told(
    *entries: str, now_ms: int = MONDAY_10, owner: str = "", queue: str = "general", priority: int = 3
) -> list[Notice]:
    verdict = Verdict(queue=queue, policy="standard", priority=priority, rulebook=RULES.hash)
    detail = CaseDetail(account=AccountId("a"), origin=InquiryId("i"), customer="c", verdict=verdict)
    happening = Happening(kind="step", mark="step-1.3", step=1)
    made = telling.notices(teller(now_ms), case(owner), detail=detail, happening=happening, told=entries)
    return [NOTICE.decode(text.encode(), Notice) for text in made]


@pytest.mark.parametrize(
    ("entry", "now_ms", "owner", "queue", "place"),
    [
        ("leads", MONDAY_10, "", "general", ("leads", ())),
        ("queue", MONDAY_10, "", "general", ("room", ())),
        ("assignee via mail", MONDAY_10, "yuna", "general", ("mail", ("yuna",))),
        ("assignee via mail", MONDAY_10, "", "general", ("mail", ("minji",))),
        ("assignee via mail", MONDAY_20, "", "general", ("mail", ("jun",))),
        ("assignee via mail", MONDAY_3, "", "general", ("mail", ())),
        ("lead via mail", MONDAY_10, "yuna", "general", ("mail", ("minji",))),
        ("lead via mail", MONDAY_10, "sora", "general", ("mail", ("bora",))),
        ("lead via mail", MONDAY_20, "gone", "general", ("mail", ("jun",))),
        ("lead via mail", MONDAY_20, "", "alone", ("mail", ("duri",))),
        ("supervisor via mail", MONDAY_10, "sora", "general", ("mail", ("hana",))),
        ("supervisor via mail", MONDAY_3, "sora", "general", ("mail", ())),
    ],
)
def test_who_is_told(entry: str, now_ms: int, owner: str, queue: str, place: tuple[str, tuple[str, ...]]) -> None:
    (notice,) = told(entry, now_ms=now_ms, owner=owner, queue=queue)
    assert (notice.target, notice.staff) == place


def test_a_queue_without_a_channel_of_its_own_tells_nobody() -> None:
    assert told("queue", queue="alone") == []


def test_whoever_is_meant_twice_is_told_once() -> None:
    made = told("assignee via mail", "lead via mail", "lead via chat", "room", "queue")
    assert [(notice.target, notice.staff) for notice in made] == [
        ("mail", ("minji",)),
        ("chat", ("minji",)),
        ("room", ()),
    ]
    assert len({notice.id for notice in made}) == 3


def test_the_same_happening_has_the_same_ids_and_another_has_others() -> None:
    assert told("room") == told("room")
    verdict = Verdict(queue="general", policy="standard", rulebook=RULES.hash)
    detail = CaseDetail(account=AccountId("a"), origin=InquiryId("i"), customer="c", verdict=verdict)
    other = Happening(kind="step", mark="step-1.4", step=1)
    (text,) = telling.notices(teller(MONDAY_10), case(""), detail=detail, happening=other, told=("room",))
    assert NOTICE.decode(text.encode(), Notice).id != told("room")[0].id


@pytest.mark.parametrize(
    ("now_ms", "priority", "until_ms"),
    [(MONDAY_10, 3, None), (MONDAY_20, 3, TUESDAY_9), (MONDAY_20, 2, TUESDAY_9), (MONDAY_20, 1, None)],
)
def test_quiet_hours_last_until_the_calendar_opens_but_not_for_what_is_urgent(
    now_ms: int, priority: int, until_ms: int | None
) -> None:
    (quiet,) = told("pager", now_ms=now_ms, priority=priority)
    (loud,) = told("room", now_ms=now_ms, priority=priority)
    assert quiet.not_before_ms == until_ms
    assert loud.not_before_ms is None


def test_no_quiet_is_longer_than_a_notice_may_wait() -> None:
    rules = load({"a.yaml": LONG})
    verdict = Verdict(queue="general", policy="standard", rulebook=rules.hash)
    detail = CaseDetail(account=AccountId("a"), origin=InquiryId("i"), customer="c", verdict=verdict)
    happening = Happening(kind="step", mark="m")
    away = teller(MONDAY_10)._replace(rulebook=rules)
    (text,) = telling.notices(away, case(""), detail=detail, happening=happening, told=("pager",))
    assert NOTICE.decode(text.encode(), Notice).not_before_ms == MONDAY_10 + LONGEST_QUIET_MS


LONG = """
defaults: {queue: general}
calendars: {short: {time_zone: Asia/Seoul, week: {mon: [09:00-09:01]}}}
quiet: {pager: {calendar: short}}
policies: {standard: {first_response_s: 3600, resolution_s: 86400}}
queues: {general: {policy: standard}}
outcomes: {solved: Solved}
"""
