from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from router.api.wording.phrases import Language, language_of, lasting
from router.api.wording.words import ExplanationView, Line, Words
from router.contract.advisor import AdvisorState, Presence, Profile, Work, WorkKind
from router.contract.case import Ask, CaseDetail, CaseState, CaseStatus, Offer, Pending
from router.contract.codec import rfc3339
from router.contract.ids import AccountId, AdvisorId, CaseId, InquiryId
from router.engine.decide import Waiting, decide
from router.engine.estimate import Lines
from router.engine.explain import RankedHead, ShareTerm, write_explanation
from router.engine.interrupting import Allowing, allowed
from router.engine.roster import Roster
from router.engine.waiting import wait_class
from rules import Reason, Rulebook, Verdict, Want
from tests.suites.api_bench import default_rulebook
from tests.suites.people import case_of

NOW = 1_760_000_000_000
VERDICT = Verdict(
    queue="delivery",
    wants=(Want("delivery", 3),),
    language="en",
    policy="quick",
    reasons=(Reason("parcels", ("queue", "wants")), Reason("later", ())),
    rulebook="r1",
)
DETAIL = CaseDetail(account=AccountId("a"), origin=InquiryId("i"), customer="c", verdict=VERDICT, placed_at_ms=NOW)


@pytest.fixture(scope="module")
def rulebook() -> Rulebook:
    return default_rulebook()


def advisor(name: str, *, presence: Presence = Presence.ONLINE, load: int = 0, **members: object) -> AdvisorState:
    profile = Profile(**{"skills": {"delivery": 5}, "languages": {"en": 9}, **members})  # type: ignore[arg-type]
    work = {"other": Work(units=load, channel="chat", kind=WorkKind.CASE)} if load else {}
    text = msgspec.json.encode(profile).decode()
    return AdvisorState(id=AdvisorId(name), ver=1, presence=presence, work=work, profile=text)


def roster_of(*states: AdvisorState) -> Roster:
    roster = Roster()
    for state in states:
        roster.apply(state)
    return roster


def case(detail: CaseDetail = DETAIL, **members: Any) -> CaseState:
    return case_of(detail, **({"changed_at_ms": NOW, "opened_at_ms": NOW} | members))


def explained(state: CaseState, roster: Roster, rulebook: Rulebook, line: Line | None = None) -> ExplanationView:
    return Words(Language.ENGLISH, roster, rulebook, NOW).explained(state, line)


def said(told: ExplanationView) -> list[str]:
    return [*told.why_waiting, *(change.text for change in told.would_free)]


WAITS = [
    ("nobody at all", (), DETAIL, "no single change frees it"),
    ("full", (advisor("ann", load=95),), DETAIL, "it is taken when one of these gets room: ann (5 more units)"),
    (
        "capped",
        (replace(advisor("ann"), caps={"email": 1}, work={"m": Work(units=10, channel="email", kind=WorkKind.CASE)}),),
        DETAIL,
        "it is taken when one of these gets room: ann (has 1 of 1 email)",
    ),
    (
        "away",
        (advisor("ann", presence=Presence.AWAY),),
        DETAIL,
        "it is taken when one of these comes online for it: ann",
    ),
    ("unskilled", (advisor("ann", skills={"billing": 5}),), DETAIL, "1 without a needed skill at its level (ann)"),
    (
        "mute",
        (advisor("ann", languages={"ko": 5}),),
        DETAIL,
        "1 not speaking the customer's language well enough (ann)",
    ),
    ("elsewhere", (advisor("ann", queues=("billing",)),), DETAIL, "1 not serving this queue (ann)"),
    ("free", (advisor("ann"),), DETAIL, "ann can take it now: it comes next, or a more urgent case comes first"),
    (
        "declined",
        (advisor("ann"),),
        replace(DETAIL, declined={"ann": NOW + 1_000}),
        f"it is offered again to ann, who declined or missed it, when the cool-down ends at {rfc3339(NOW + 1_000)}",
    ),
    (
        "held",
        (advisor("ann"), advisor("bob", presence=Presence.OFFLINE)),
        replace(DETAIL, held_for="bob", held_until_ms=NOW + 1_000),
        f"it is kept for bob until its hold ends at {rfc3339(NOW + 1_000)}",
    ),
    (
        "many",
        tuple(advisor(name, load=100) for name in "abcde"),
        DETAIL,
        "it is taken when one of these gets room: a (10 more units), b (10 more units), c (10 more units), ...",
    ),
    ("a skill", (advisor("ann", skills={}),), DETAIL, "it would be taken with delivery at level 3 by one of: ann"),
    ("a language", (advisor("ann", languages={}),), DETAIL, "it would be taken if one of these spoke en: ann"),
    ("a queue", (advisor("ann", queues=("x",)),), DETAIL, "it would be taken if one of these served queue delivery"),
]


@pytest.mark.parametrize(("states", "detail", "sentence"), [row[1:] for row in WAITS], ids=[row[0] for row in WAITS])
def test_why_a_case_still_waits(
    rulebook: Rulebook, states: tuple[AdvisorState, ...], detail: CaseDetail, sentence: str
) -> None:
    told = said(explained(case(detail), roster_of(*states), rulebook))
    assert any(sentence in each for each in told), told


def test_a_pending_case_says_for_whom_and_until_when(rulebook: Rulebook) -> None:
    pending = Pending(on="customer", since_ms=NOW, until_ms=NOW + 1)
    told = explained(case(replace(DETAIL, pending=pending), state=CaseStatus.PENDING), Roster(), rulebook)
    assert told.why_waiting == (f"it waits for the customer until {rfc3339(NOW + 1)}",)


_RUNG = (Offer(advisor=AdvisorId("bob"), ver=3, deadline_ms=NOW + 9, units=5),)
_ASK = Ask(by="ann", at_ms=NOW, tier="senior", last="cho")
ADVICE: list[tuple[dict[str, Any], Ask | None, tuple[str, ...], tuple[str, ...]]] = [
    ({}, None, (), ()),
    (
        {"offers": _RUNG},
        replace(_ASK, last=""),
        (f"bob is asked for advice until {rfc3339(NOW + 9)}",),
        (f"bob 상담사에게 자문 요청 중, 응답 기한 {rfc3339(NOW + 9)}",),
    ),
    (
        {"offers": _RUNG, "state": CaseStatus.PARKED},
        replace(_ASK, end="declined"),
        (f"bob is asked for advice until {rfc3339(NOW + 9)}", "cho declined to give advice"),
        (f"bob 상담사에게 자문 요청 중, 응답 기한 {rfc3339(NOW + 9)}", "cho 상담사가 자문 요청을 거절했습니다"),
    ),
    (
        {},
        replace(_ASK, end="expired"),
        ("cho did not answer when asked for advice", "nobody is asked for advice any more"),
        ("cho 상담사가 자문 요청에 응답하지 않았습니다", "더 이상 자문을 요청할 상담사가 없습니다"),
    ),
    (
        {},
        replace(_ASK, end="left"),
        ("cho left when asked for advice", "nobody is asked for advice any more"),
        ("cho 상담사가 자문 요청 중에 자리를 떠났습니다", "더 이상 자문을 요청할 상담사가 없습니다"),
    ),
    (
        {"consults": {"cho": 5, "bob": 5}},
        replace(_ASK, end="joined"),
        ("advice beside its owner is given by bob, cho",),
        ("자문 중: bob, cho (담당자는 그대로입니다)",),
    ),
    ({}, replace(_ASK, end="recalled"), (), ()),
]


@pytest.mark.parametrize(("members", "ask", "english", "korean"), ADVICE)
def test_who_gives_advice_or_why_nobody_does(
    rulebook: Rulebook, members: dict[str, Any], ask: Ask | None, english: tuple[str, ...], korean: tuple[str, ...]
) -> None:
    state = case(replace(DETAIL, ask=ask), **{"state": CaseStatus.ASSIGNED, "owner": "ann", **members})
    for language, told in ((Language.ENGLISH, english), (Language.KOREAN, korean)):
        said = Words(language, Roster(), rulebook, NOW).explained(state).why_waiting
        assert tuple(line for line in said if "ann" not in line) == told


def test_the_last_decision_is_told_with_its_rules_terms_and_those_who_were_out(rulebook: Rulebook) -> None:
    roster = roster_of(advisor("ann"), advisor("bob", load=100), advisor("cho", skills={}))
    waiting = wait_class(DETAIL, channel="email", units=10, rulebook=rulebook, now_ms=NOW)
    why = write_explanation(decide(roster, waiting, CaseId("i"), rulebook, NOW).explanation)
    told = explained(case(why=why, state=CaseStatus.ASSIGNED, owner="ann"), roster, rulebook)
    assert told.why_here[0] == "rule parcels set queue, skills"
    assert "wants: delivery 3" in told.why_here[1]
    assert told.why_here[2] == "3 advisors were looked at, 1 of the eligible ranked by longest-idle"
    assert told.why_here[3].startswith("1. ann (idle_s ")
    assert told.why_here[-1] == "ann has it"
    assert {out.filter: out.first for out in told.why_not} == {"skill": ("cho",), "room": ("bob",)}
    assert (told.why_waiting, told.decided_at, told.strategy) == ((), rfc3339(NOW), "longest-idle")


def test_a_case_that_was_never_decided_about_is_still_explained(rulebook: Rulebook) -> None:
    told = explained(case(), Roster(), rulebook)
    assert (told.decided_at, told.why_not, told.rulebook) == (None, (), "r1")


def test_whoever_is_more_urgent_is_named(rulebook: Rulebook) -> None:
    urgent = replace(DETAIL, verdict=replace(VERDICT, priority=1), placed_at_ms=NOW - 9_000)
    waiting = wait_class(urgent, channel="email", units=10, rulebook=rulebook, now_ms=NOW)
    rival = Waiting(class_key=waiting.key, score_ms=NOW - 9_000, case=CaseId("vip"))
    away = roster_of(advisor("ann", presence=Presence.AWAY))
    told = explained(case(), away, rulebook, Line(Lines(heads=[rival]), [CaseId("other"), CaseId("i")]))
    assert "cases of its kind before it in line: 1" in told.why_waiting
    (change,) = told.would_free
    assert (change.change, change.advisors, change.count) == ("presence", ("ann",), 1)
    assert change.text.endswith("comes online for it: ann (after case vip, which is more urgent)")


def test_a_place_beyond_what_was_read_is_told_as_such(rulebook: Rulebook) -> None:
    told = explained(case(), Roster(), rulebook, Line(Lines(), [CaseId("a"), CaseId("b")]))
    assert "cases of its kind before it in line: 2 or more" in told.why_waiting


def test_how_long_it_may_wait_is_told_by_how_fast_others_were_handed_out(rulebook: Rulebook) -> None:
    roster = roster_of(advisor("ann", load=95), advisor("bob", skills={}))
    asked: list[int] = []

    def handed(advisors: int, most: int) -> list[int]:
        asked.append(advisors)
        return [NOW - 60_000 * number for number in range(1, 11)][:most]

    line = Line(Lines(), [CaseId("first"), CaseId("i")], handed)
    told = explained(case(), roster, rulebook, line)
    assert asked == [roster.bit("ann")]  # bob could not take it, so his pace says nothing
    assert told.wait is not None
    assert (told.wait.ahead, told.wait.known_of) == (1, 10)
    assert told.wait.least_s < told.wait.likely_s < told.wait.most_s
    assert 60 <= told.wait.likely_s <= 180
    assert told.why_waiting[-1].startswith("cases that go before it: 1; it waits about ")
    in_korean = Words(Language.KOREAN, roster, rulebook, NOW).explained(case(), line)
    assert in_korean.why_waiting[-1].startswith("먼저 배정될 문의 1건")


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7_199, "120 min"), (7_200, "2 h")]
)
def test_a_wait_is_told_as_exactly_as_it_is_known(seconds: int, said: str) -> None:
    assert lasting(Language.ENGLISH, seconds) == said


def test_a_turn_by_shares_says_how_the_queues_stood(rulebook: Rulebook) -> None:
    roster = roster_of(advisor("ann"))
    waiting = wait_class(DETAIL, channel="email", units=10, rulebook=rulebook, now_ms=NOW)
    explanation = decide(roster, waiting, CaseId("i"), rulebook, NOW).explanation
    term = ShareTerm(queue="delivery", target=0.75, length=14, total=16)
    heads = (RankedHead(case=CaseId("i"), urgency=1, share=term),)
    why = write_explanation(replace(explanation, turn=AdvisorId("ann"), heads=heads))
    state = case(state=CaseStatus.ASSIGNED, owner=AdvisorId("ann"), why=why)
    english = "ann had room, and delivery was most over its share: 14 of 16 cases, for 75 %"
    assert english in explained(state, roster, rulebook).why_here
    korean = Words(Language.KOREAN, roster, rulebook, NOW).explained(state).why_here
    assert any("16건 중 14건, 목표 75%" in line for line in korean)


def _on(rulebook: Rulebook, *channels: tuple[Allowing, str]) -> Rulebook:
    for allowing, channel in channels:
        rulebook = allowed(rulebook, allowing, channel)
    return rulebook


PARKED = (Allowing.INTERRUPTIBLE, "chat")
INTERRUPTS = (Allowing.INTERRUPTS, "call")
PARKING = [
    ((INTERRUPTS, PARKED), "ann can take it now by parking chat", "chat 문의를 보류하고 지금 맡을 수 있는 상담사: ann"),
    (
        (PARKED,),
        "it would be taken if the rules let call interrupt (`interrupts`): ann (parking other)",
        "call 채널이 다른 업무를 보류시킬 수 있게",
    ),
    (
        (INTERRUPTS,),
        "if the rules let chat be parked for it (`interruptible`): ann (parking other)",
        "chat 채널의 업무를 보류할 수 있게",
    ),
]


@pytest.mark.parametrize(("changes", "english", "korean"), PARKING)
def test_parking_is_named_where_it_is_or_would_be_enough(
    rulebook: Rulebook, changes: tuple[tuple[Allowing, str], ...], english: str, korean: str
) -> None:
    book, roster = _on(replace(rulebook, channels={}), *changes), roster_of(advisor("ann", load=95))
    state = case(channel="call", units=30)
    told = said(explained(state, roster, book))
    assert any(english in each for each in told), told
    assert any(korean in each for each in said(Words(Language.KOREAN, roster, book, NOW).explained(state)))


def test_who_would_have_to_come_online_parks_for_it_then(rulebook: Rulebook) -> None:
    roster = roster_of(advisor("ann", presence=Presence.AWAY, load=95))
    told = explained(case(channel="call", units=30), roster, _on(rulebook, INTERRUPTS, PARKED))
    (change,) = told.would_free
    said_so = "it is taken when one of these comes online for it: ann (parking other)"
    assert (change.change, change.text) == ("presence", said_so)


def test_all_of_it_is_told_in_korean(rulebook: Rulebook) -> None:
    roster = roster_of(advisor("ann", presence=Presence.AWAY), advisor("bob", load=95))
    told = Words(Language.KOREAN, roster, rulebook, NOW).explained(case())
    assert [change.text for change in told.would_free] == [
        "다음 상담사가 이 채널에 온라인이 되면 배정됩니다: ann",
        "다음 상담사에게 여유가 생기면 배정됩니다: bob (5 단위 부족)",
    ]
    assert "상담사 1명: 맡을 여유가 없습니다 (bob)" in told.why_waiting
    assert told.why_here[0] == "규칙 parcels에서 지정: 대기열, 필요한 기술"


@pytest.mark.parametrize(
    ("wanted", "language"),
    [
        ("", "en"),
        ("ko", "ko"),
        ("ko-KR,ko;q=0.9,en-US;q=0.8", "ko"),
        ("en-GB, ko;q=0.5", "en"),
        ("fr, ko;q=0.4, en;q=0.7", "en"),
        ("fr;q=0.9, ko;q=0.1", "ko"),
        ("ko;q=0", "en"),
        ("ko;q=much, de", "en"),
        ("*", "en"),
    ],
)
def test_the_language_that_is_asked_for(wanted: str, language: str) -> None:
    assert language_of(wanted) == language


def test_who_said_what_is_told_by_what_it_is(rulebook: Rulebook) -> None:
    reasons = (Reason("queue", ("policy",)), Reason("language", ("language",)), Reason("defaults", ("priority",)))
    state = case(replace(DETAIL, verdict=replace(VERDICT, reasons=reasons)))
    in_english = explained(state, Roster(), rulebook).why_here[:3]
    assert in_english == ("its queue set policy", "its text set language", "the defaults set priority")
    in_korean = Words(Language.KOREAN, Roster(), rulebook, NOW).explained(state).why_here[:3]
    assert in_korean == ("대기열 설정에서 지정: SLA 정책", "본문에서 판별: 언어", "기본값으로 지정: 우선순위")


def test_that_nobody_could_take_it_is_said(rulebook: Rulebook) -> None:
    waiting = wait_class(DETAIL, channel="email", units=10, rulebook=rulebook, now_ms=NOW)
    why = write_explanation(decide(roster_of(advisor("ann", load=95)), waiting, CaseId("i"), rulebook, NOW).explanation)
    told = explained(case(why=why), Roster(), rulebook)
    assert "1 advisors were looked at, and none of them could take it" in told.why_here


HISTORY = (f"1|admit|queued|{NOW}||i", f"4|transfer|offered|{NOW + 5}|ann|ann", f"5|accept|assigned|{NOW + 9}|bob|bob")
HANDED = [
    (HISTORY, f"ann handed it on at {rfc3339(NOW + 5)}", f"ann님이 {rfc3339(NOW + 5)}에 이관했습니다"),
    (
        (*HISTORY, f"6|requeue|queued|{NOW + 9}|lead|bob"),
        f"lead put it back into its queue at {rfc3339(NOW + 9)}",
        f"lead님이 {rfc3339(NOW + 9)}에 대기열로 되돌렸습니다",
    ),
    ((f"6|requeue|queued|{NOW + 9}||bob",), "", ""),
]


@pytest.mark.parametrize(("history", "english", "korean"), HANDED)
def test_who_handed_it_on_last_is_told(rulebook: Rulebook, history: tuple[str, ...], english: str, korean: str) -> None:
    for language, said in ((Language.ENGLISH, english), (Language.KOREAN, korean)):
        told = Words(language, Roster(), rulebook, NOW).explained(case(), None, history).why_here
        assert told[2:] == ((said,) if said else ())


def test_no_wait_is_told_while_nobody_who_could_take_it_is_there(rulebook: Rulebook) -> None:
    line = Line(Lines(), [CaseId("i")], lambda _, most: [NOW - 60_000 * number for number in range(1, 11)][:most])
    assert explained(case(), roster_of(advisor("ann", load=95)), rulebook, line).wait is not None
    away = roster_of(advisor("ann", presence=Presence.AWAY), advisor("bob", skills={}))
    assert explained(case(), away, rulebook, line).wait is None
