"""What a waiting case asks at each step, when the next one comes, and who may have the case then."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from router.contract.case import CaseDetail
from router.contract.ids import AccountId, AdvisorId, CaseId, InquiryId
from router.engine import relaxation
from router.engine.decide import Waiting, next_for, nominate
from router.engine.eligibility import eligible, is_eligible
from router.engine.waiting import WaitClass, read_class, score, wait_class
from rules import Rulebook, Verdict, Want
from rules.ladders import NOTHING, Easing, RelaxStep
from tests.suites.people import NOW, advisor, roster
from tests.suites.stage import RULES, rulebook

RELAX = """    relax:
      - {after_s: 40, levels: {billing: 3}}
      - {after_s: 90, drop: [billing], queues: [general], tiers: [junior]}
      - {after_s: 300, languages: [en]}
      - {after_s: 600, any_language: true}
"""
TEXT = RULES.replace(
    "  billing: {policy: standard, ladder: standard, offer_s: 30}\n",
    f"  billing:\n    policy: standard\n    tiers: [senior]\n{RELAX}",
)
BOOK = rulebook(TEXT)


def case(relaxed: int = 0, *, book: Rulebook = BOOK, queue: str = "billing", **members: object) -> CaseDetail:
    verdict = Verdict(
        queue=queue,
        wants=(Want("billing", 5), Want("technical", 2, hard=False)),
        language="ko",
        policy="standard",
        rulebook=book.hash,
    )
    detail = CaseDetail(
        account=AccountId("a"), origin=InquiryId("i"), customer="x", verdict=verdict, placed_at_ms=NOW, relaxed=relaxed
    )
    return replace(detail, **members)


def waiting(relaxed: int = 0) -> WaitClass:
    return wait_class(case(relaxed), channel="email", units=10, rulebook=BOOK, now_ms=NOW)


@pytest.mark.parametrize(
    ("relaxed", "wants", "tiers", "language", "queues", "languages"),
    [
        (0, (Want("billing", 5), Want("technical", 2, hard=False)), ("senior",), "ko", (), ()),
        (1, (Want("billing", 3), Want("technical", 2, hard=False)), ("senior",), "ko", (), ()),
        (2, (Want("billing", 5, hard=False), Want("technical", 2, hard=False)), ("senior", "junior"), "ko",
         ("general",), ()),
        (3, (Want("billing", 5, hard=False), Want("technical", 2, hard=False)), ("senior", "junior"), "ko",
         ("general",), ("en",)),
        (4, (Want("billing", 5, hard=False), Want("technical", 2, hard=False)), ("senior", "junior"), "",
         ("general",), ()),
        (9, (Want("billing", 5, hard=False), Want("technical", 2, hard=False)), ("senior", "junior"), "",
         ("general",), ()),
    ],
)  # fmt: skip
def test_what_is_asked_at_each_step(
    relaxed: int,
    wants: tuple[Want, ...],
    tiers: tuple[str, ...],
    language: str,
    queues: tuple[str, ...],
    languages: tuple[str, ...],
) -> None:
    assert relaxation.asked(case(relaxed), BOOK) == (wants, tiers, language, queues, languages, 1)


@pytest.mark.parametrize(
    ("ruled", "queued", "relaxed", "asked"),
    [
        (0, 1, 0, 1),
        (0, 7, 0, 7),  # as the queue says
        (5, 7, 0, 5),  # unless a rule does
        (9, 1, 0, 9),
        (9, 1, 1, 4),  # at most, after the step
        (0, 3, 1, 3),  # which asks no more than before
        (9, 1, 2, 1),  # where any language will do
    ],
)
def test_how_well_the_language_has_to_be_spoken(ruled: int, queued: int, relaxed: int, asked: int) -> None:
    steps = (RelaxStep(after_s=1, language_level=4), RelaxStep(after_s=2, any_language=True))
    queue = replace(BOOK.queues["billing"], language_level=queued, relax=steps)
    book = replace(BOOK, queues={**BOOK.queues, "billing": queue})
    detail = case(relaxed, book=book, verdict=replace(case().verdict, language_level=ruled))
    found = wait_class(detail, channel="email", units=10, rulebook=book, now_ms=NOW)
    assert found.language_level == asked
    assert read_class(found.key) == found
    people = roster(*(advisor(str(level), languages={"ko": level}, skills={"billing": 5}) for level in range(1, 11)))
    able = {int(one.state.id) for one in people.members(eligible(people, found))}
    assert able == set(range(asked, 11))


def test_a_key_that_asks_for_no_level_is_as_before_there_were_any() -> None:
    assert replace(waiting(), language_level=1).key == waiting().key
    assert not waiting().key.endswith(",1]")
    assert replace(waiting(), language_level=2).key.endswith(",2]")


@pytest.mark.parametrize("queue", ["general", "gone"])
def test_a_queue_without_steps_asks_what_the_verdict_says(queue: str) -> None:
    detail = case(3, queue=queue)
    assert relaxation.asked(detail, BOOK).wants == detail.verdict.wants
    assert relaxation.ahead(detail, BOOK) == ()


@pytest.mark.parametrize(
    ("profile", "first"),
    [
        ({"languages": {"ko": 5}}, 0),
        ({"languages": {"ko": 5}, "skills": {"billing": 4}}, 1),
        ({"languages": {"ko": 5}, "skills": {"billing": 2}}, 2),
        ({"languages": {"ko": 5}, "skills": {}}, 2),
        ({"languages": {"ko": 5}, "queues": ("general",)}, 2),
        ({"languages": {"ko": 5}, "tier": "junior"}, 2),
        ({"languages": {"en": 5}}, 3),
        ({"languages": {"ja": 5}}, 4),
        ({"languages": {"ja": 5}, "tier": "lead"}, None),
        ({"languages": {"ja": 5}, "queues": ("direct",)}, None),
    ],
)
def test_from_which_step_an_advisor_may_have_it(profile: dict[str, Any], first: int | None) -> None:
    people = roster(advisor("mina", **profile))
    member = next(iter(people))
    able = [step for step in range(5) if eligible(people, waiting(step))]
    assert able == ([] if first is None else list(range(first, 5)))
    assert able == [step for step in range(5) if is_eligible(member, waiting(step))]


def test_a_step_changes_the_class_and_not_the_place() -> None:
    keys = [waiting(step).key for step in range(5)]
    assert len(set(keys)) == 5
    assert [read_class(key) for key in keys] == [waiting(step) for step in range(5)]
    assert len({score(case(step), BOOK) for step in range(5)}) == 1


def test_a_key_of_before_relaxation_is_read_as_before() -> None:
    old = '["billing","email",10,[["billing",5,true]],"ko",[],3,"standard","first_response",[],""]'
    assert (read_class(old).queues, read_class(old).languages) == ((), ())


@pytest.mark.parametrize(
    ("relaxed", "armed", "later_s", "changes"),
    [
        (0, {}, 0, {"relax|0": NOW + 40_000}),
        (1, {}, 0, {"relax|0": NOW + 90_000}),
        (0, {"relax|0": NOW + 40_000}, 0, {}),
        (0, {"relax|0": NOW + 41_000}, 0, {"relax|0": NOW + 40_000}),
        (4, {"relax|0": NOW + 40_000}, 0, {"relax|0": 0}),
        (4, {}, 0, {}),
        (0, {}, 50, {"relax|0": NOW + 50_000}),
        (0, {"relax|0": NOW + 49_000}, 50, {}),
    ],
)
def test_what_is_armed(relaxed: int, armed: dict[str, int], later_s: int, changes: dict[str, int]) -> None:
    found = relaxation.timers(case(relaxed), BOOK, armed=armed, now_ms=NOW + later_s * 1000)
    assert found == changes


def test_a_case_that_begins_to_wait_again_wants_all_again_and_counts_from_then() -> None:
    again = relaxation.anew(case(2), NOW + 5_000)
    assert [step.at_ms for step in relaxation.ahead(again, BOOK)] == [
        NOW + 5_000 + after_s * 1000 for after_s in (40, 90, 300, 600)
    ]
    assert relaxation.asked(again, BOOK) == relaxation.asked(case(0), BOOK)


def test_nothing_is_asked_less_while_it_is_closed() -> None:
    text = TEXT.replace("standard: {first", "standard: {calendar: office, first")
    book = rulebook(text + "calendars: {office: {time_zone: UTC, week: {daily: ['09:00-17:00']}}}\n")
    evening = round(datetime(2026, 3, 2, 16, 59, 30, tzinfo=UTC).timestamp() * 1000)
    first = relaxation.ahead(case(book=book, placed_at_ms=evening), book)[0]
    assert first.at_ms == round(datetime(2026, 3, 3, 9, 0, 10, tzinfo=UTC).timestamp() * 1000)


def test_by_a_policy_that_came_later_it_waits_as_its_queue_did_when_it_was_judged() -> None:
    text = TEXT.replace("standard: {first", "standard: {calendar: office, first")
    book = rulebook(text + "calendars: {office: {time_zone: UTC, week: {daily: ['09:00-17:00']}}}\n")
    evening = round(datetime(2026, 3, 2, 16, 59, 30, tzinfo=UTC).timestamp() * 1000)
    known = case(book=book, placed_at_ms=evening)
    later = replace(known, verdict=replace(known.verdict, policy="later"))
    assert relaxation.ahead(later, book) == relaxation.ahead(known, book)


def test_the_one_who_may_have_it_now_is_found() -> None:
    people = roster(advisor("mina", languages={"ko": 5}, skills={"billing": 3}))
    heads = [Waiting(class_key=waiting(step).key, score_ms=NOW, case=CaseId(f"c{step}")) for step in (0, 1)]
    assert nominate(people, heads[0], BOOK, NOW) is None
    turn = next_for(people, AdvisorId("mina"), heads, BOOK, NOW)
    assert turn is not None
    assert turn.head.case == "c1"


EASINGS = st.builds(
    Easing,
    levels=st.dictionaries(st.sampled_from(["billing", "technical"]), st.integers(1, 10)),
    drop=st.lists(st.sampled_from(["billing", "technical"]), unique=True).map(tuple),
    queues=st.lists(st.sampled_from(["general", "direct"]), unique=True).map(tuple),
    tiers=st.lists(st.sampled_from(["junior", "lead"]), unique=True).map(tuple),
    languages=st.lists(st.sampled_from(["en", "ja"]), unique=True).map(tuple),
    any_language=st.booleans(),
    language_level=st.none() | st.integers(1, 5),
)
PEOPLE = roster(
    *(
        advisor(f"a{number}", tier=tier, skills=skills, languages=languages, queues=queues)
        for number, (tier, skills, languages, queues) in enumerate(
            (tier, skills, languages, queues)
            for tier in ("junior", "senior", "lead")
            for skills in ({}, {"billing": 2}, {"billing": 5})
            for languages in ({"ko": 3}, {"ko": 7}, {"en": 3}, {"ja": 3})
            for queues in (("billing",), ("general",), ("direct",), ())
        )
    )
)


@given(st.lists(EASINGS, max_size=4), st.sampled_from([0, 3, 6]))
def test_each_step_lets_in_more_and_puts_nobody_out(easings: list[Easing], language_level: int) -> None:
    steps = tuple(
        RelaxStep(after_s=number, **{name: getattr(easing, name) for name in Easing.__struct_fields__})
        for number, easing in enumerate(easings, start=1)
    )
    book = replace(BOOK, queues={**BOOK.queues, "billing": replace(BOOK.queues["billing"], relax=steps)})
    before = 0
    for relaxed in range(len(steps) + 1):
        detail = case(relaxed, book=book, verdict=replace(case().verdict, language_level=language_level))
        found = wait_class(detail, channel="email", units=10, rulebook=book, now_ms=NOW)
        now = eligible(PEOPLE, found)
        assert now & before == before
        before = now


def test_nothing_merged_is_nothing() -> None:
    assert relaxation.merged(Easing(), Easing()) is NOTHING
