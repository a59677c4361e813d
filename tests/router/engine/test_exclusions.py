"""Who must not have a case: what the rules, customers and people say, and what takes it back."""

import pytest
from msgspec.structs import replace

from router.contract.case import CaseDetail
from router.contract.exclusion import KEPT_EXCLUSIONS, MOST_BY_PEOPLE, MOST_EXCLUDED, Exclusion
from router.contract.ids import AccountId, InquiryId
from router.engine import exclusions, offers
from router.engine.plans import blank
from router.engine.waiting import crowded_class, wait_class
from rules import Reason, Verdict
from tests.suites.people import NOW, advisor, roster
from tests.suites.stage import inquiry, rulebook

BOOK = rulebook()


def case(**members: object) -> CaseDetail:
    verdict = Verdict(queue="billing", policy="standard", rulebook=BOOK.hash)
    detail = CaseDetail(account=AccountId("a"), origin=InquiryId("i"), customer="x", verdict=verdict)
    return replace(detail, **members)


def test_who_is_excluded_stays_so_through_whatever_is_said_next() -> None:
    detail = exclusions.exclude(case(), ("minji", "ben"), 7, by="key-1", reason="friends")
    assert detail.excluded == ("ben", "minji")
    assert detail.exclusions[0] == Exclusion(advisor="minji", at_ms=7, by="key-1", reason="friends")
    again = exclusions.exclude(detail, ("ben", ""), 8, by="key-2")
    assert again is detail
    more = exclusions.exclude(detail, ("ada",), 9, by="key-2")
    assert more.excluded == ("ada", "ben", "minji")


@pytest.mark.parametrize(("name", "held"), [("minji", ""), ("ben", "minji"), ("seoul", "minji")])
def test_a_case_is_kept_for_nobody_who_is_excluded(name: str, held: str) -> None:
    detail = exclusions.exclude(case(held_for="minji", held_until_ms=NOW + 5), (name,), NOW)
    assert (detail.held_for, detail.held_until_ms) == (held, NOW + 5 if held else None)


def test_it_is_not_kept_for_who_knows_it_when_he_is_excluded_nor_is_he_asked_first() -> None:
    people = roster(advisor("minji"))
    known = case(last_advisor="minji")
    assert offers.hold(known, BOOK, people, NOW).held_for == "minji"
    assert offers.back_to(people, known) is not None
    without = exclusions.exclude(known, ("minji",), NOW)
    assert offers.hold(without, BOOK, people, NOW).held_for == ""
    assert offers.back_to(people, without) is None


def test_what_is_lifted_is_remembered_and_frees_nobody_else() -> None:
    detail = exclusions.exclude(case(), ("minji", "ben"), 7, by="key-1")
    lifted = exclusions.lift(detail, ("minji", "ada"), 8, by="key-2", reason="settled")
    assert lifted.excluded == ("ben",)
    assert lifted.exclusions[-1] == Exclusion(advisor="minji", at_ms=8, by="key-2", reason="settled", lifted=True)
    assert exclusions.lift(lifted, ("minji",), 9, by="key-2") is lifted
    assert exclusions.exclude(lifted, ("minji",), 10, by="key-3").excluded == ("ben", "minji")


def verdict(*exclude: str) -> Verdict:
    reasons = (Reason("urgent", ("priority",)), Reason("complaint", ("exclude", "queue")))
    return Verdict(queue="billing", policy="standard", rulebook="x", exclude=exclude, reasons=reasons)


@pytest.mark.parametrize(
    ("last", "said", "expected"),
    [
        ("minji", ("last-advisor",), ("minji",)),
        ("", ("last-advisor",), ()),
        ("minji", ("ben", "last-advisor"), ("ben", "minji")),
        ("minji", (), ()),
    ],
)
def test_the_last_advisor_is_who_had_the_case_when_the_message_came(
    last: str, said: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    detail = exclusions.judged(case(last_advisor=last), verdict(*said), NOW)
    assert detail.excluded == expected
    assert {each.rules for each in detail.exclusions} == ({("complaint",)} if expected else set())
    later = replace(detail, last_advisor="ada")
    assert later.excluded == expected


def test_all_is_bounded() -> None:
    detail = case()
    for number in range(90):
        detail = exclusions.exclude(detail, (f"a{number}",), number)
    assert (len(detail.excluded), len(detail.exclusions)) == (MOST_EXCLUDED, KEPT_EXCLUSIONS)
    assert exclusions.is_too_many(detail, ("x",))
    few = case(excluded=tuple(f"a{number}" for number in range(MOST_BY_PEOPLE)))
    assert exclusions.is_too_many(few, ("x",))
    assert not exclusions.is_too_many(few, ("a1",))


def test_hard_exclusions_stay_where_there_are_too_many_classes() -> None:
    detail = case(excluded=("minji",), declined={"ben": NOW + 9})
    waiting = wait_class(detail, channel="chat", units=30, rulebook=BOOK, now_ms=NOW)
    assert waiting.excluded == ("ben", "minji")
    assert crowded_class(waiting, detail).excluded == ("minji",)


@pytest.mark.parametrize(("owner", "last", "who"), [("minji", "ben", "minji"), ("", "ben", "ben"), ("", "", "")])
def test_who_is_meant_by_someone_else(owner: str, last: str, who: str) -> None:
    state = replace(blank(inquiry("c"), 1, NOW), owner=owner)
    assert exclusions.holder(state, case(last_advisor=last)) == who
