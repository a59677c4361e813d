from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from channels.notify.headlines import Language
from channels.notify.wording import LINES_SHOWN, summary, words
from router.contract.ids import AdvisorId
from router.contract.messages import Notice
from tests.suites.notices import notice, told

START_MS = 1_760_000_000_000
REST = " in queue billing, priority 2"
DUE_LABEL = {"en": "Due", "ko": "기한"}
DUE = ", due 2025-10-09T08:54:20.000Z."


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "Escalation step 1 (first response): case c1 in queue billing, priority 2" + DUE),
        ({"clock": ""}, "Escalation step 1: case c1 in queue billing, priority 2" + DUE),
        ({"kind": "warning"}, "SLA warning (first response): case c1 in queue billing, priority 2" + DUE),
        ({"kind": "warning", "clock": ""}, "SLA warning: case c1 in queue billing, priority 2" + DUE),
        (
            {"kind": "breach", "clock": "resolution"},
            "SLA breach (resolution): case c1 in queue billing, priority 2" + DUE,
        ),
        (
            {"kind": "breach", "clock": "third_party"},
            "SLA breach (third party): case c1 in queue billing, priority 2" + DUE,
        ),
        ({"kind": "breach", "clock": ""}, "SLA breach: case c1 in queue billing, priority 2" + DUE),
        (
            {"kind": "delivery-failed", "due_at_ms": None},
            "A reply could not be delivered: case c1 in queue billing, priority 2.",
        ),
        (
            {"kind": "missed-offers", "queue": ""},
            "An advisor missed offers and is away now: case c1, priority 2" + DUE,
        ),
        ({"kind": "chaser", "step": 2}, "A third party is late (reminder 2): case c1" + REST + DUE),
        ({"kind": "moon", "due_at_ms": None}, "Notice (moon): case c1 in queue billing, priority 2."),
    ],
)
def test_a_notice_in_one_line(changes: dict[str, Any], text: str) -> None:
    assert summary(replace(notice(), **changes)) == text


@pytest.mark.parametrize("kind", ["warning", "breach", "step", "delivery-failed", "missed-offers", "chaser", "moon"])
def test_korean_says_it_without_a_word_of_english(kind: str) -> None:
    said = words(told(replace(notice(), kind=kind, clock="resolution")), "ko", ZoneInfo("Asia/Seoul"))
    plain = said.title.replace("SLA", "").replace("(moon)", "")
    assert not any(letter.isascii() and letter.isalpha() for letter in plain)
    assert dict(said.facts)["기한"] == "2025-10-09 17:54 KST"


def test_what_a_notice_does_not_say_is_left_out() -> None:
    said = words(told(replace(notice(), queue="", due_at_ms=None)), "en", ZoneInfo("UTC"))
    assert said.facts == (("Priority", "2"), ("Case", "c1"))


@pytest.mark.parametrize(
    ("changes", "english", "korean"),
    [
        ({"owner": "jun"}, ("With", "Jun"), ("담당", "Jun")),
        ({"owner": ""}, ("With", "nobody, it waits"), ("담당", "없음 (대기 중)")),
        ({"top": True}, ("Tier", "none is left above, it is yours"), ("등급", "위 등급 없음, 직접 확인해 주세요")),
        ({"trigger": "by-hand", "about": "jun"}, ("Asked by", "Jun"), ("요청한 상담사", "Jun")),
    ],
)
def test_who_has_the_case_and_who_asks_is_said(
    changes: dict[str, Any], english: tuple[str, str], korean: tuple[str, str]
) -> None:
    bulletin = told(replace(notice(), **changes))
    for language, fact in (("en", english), ("ko", korean)):
        said = words(bulletin, language, ZoneInfo("UTC"), naming=lambda who: {"jun": "Jun"}.get(who, who))  # type: ignore[arg-type]  # both are languages
        assert fact in said.facts


def test_who_has_the_case_is_left_out_where_nobody_said_so() -> None:
    assert "With" not in dict(words(told(), "en", ZoneInfo("UTC")).facts)


def test_what_matters_stands_before_the_number_of_the_case() -> None:
    whole = replace(notice(), owner="", top=True, trigger="by-hand", about=AdvisorId("jun"), staff=(AdvisorId("bo"),))
    said = words(told(whole), "en", ZoneInfo("UTC"))
    assert [label for label, _ in said.facts] == ["Queue", "Priority", "Due", "With", "Tier", "Asked by", "For", "Case"]


@pytest.mark.parametrize(("language", "due"), [("en", "(overdue)"), ("ko", "(초과)")])
def test_a_due_time_that_has_passed_is_said_to_have(language: Language, due: str) -> None:
    late = replace(notice(), due_at_ms=START_MS)
    assert (
        dict(words(told(late), language, ZoneInfo("UTC")).facts)[DUE_LABEL[language]] == f"2025-10-09 08:53 UTC {due}"
    )
    assert words(told(late, *many(2)), language, ZoneInfo("UTC")).lines[1].text.split(" · ")[3].endswith(due)


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", {"Advisor": "Jun", "For": "Mina, bo"}), ("ko", {"상담사": "Jun", "받는 사람": "Mina, bo"})],
)
def test_advisors_are_named_as_people_call_them(language: Language, said: dict[str, str]) -> None:
    people = {"jun": "Jun", "mina": "Mina"}
    about = replace(notice(), staff=(AdvisorId("mina"), AdvisorId("bo")), about=AdvisorId("jun"))
    found = words(told(about), language, ZoneInfo("UTC"), naming=lambda who: people.get(who, who))
    assert said.items() <= dict(found.facts).items()


def many(count: int) -> tuple[Notice, ...]:
    kinds = ("breach", "step")
    return tuple(
        replace(notice(f"n{number}", case=f"c{number}", at_ms=START_MS + number), kind=kinds[number % 4 == 3])
        for number in range(count)
    )


def test_a_hundred_notices_are_one_headline_and_a_list_that_can_be_read() -> None:
    said = words(told(*many(100)), "en", ZoneInfo("UTC"))
    assert said.title == "100 notices: SLA breach (first response) ×75, Escalation step 1 (first response) ×25"
    assert len(said.lines) == LINES_SHOWN
    assert said.lines[0].text == (
        "SLA breach (first response) · Queue billing · Priority 2 · Due 2025-10-09 08:54 UTC · Case c0"
    )
    assert said.more == "and 80 more"
    assert said.facts == ()


def test_a_few_notices_are_all_listed_in_their_order() -> None:
    said = words(told(*reversed(many(3))), "ko", ZoneInfo("Asia/Seoul"))
    assert said.title == "알림 3건: SLA 위반 (첫 응답) ×3"
    assert [line.case for line in said.lines] == ["c0", "c1", "c2"]
    assert said.more == ""
