"""For whom a case that comes back is kept, and how long."""

import pytest
from msgspec.structs import replace

from router.contract.advisor import Presence
from router.contract.case import CaseDetail
from router.contract.ids import AccountId, InquiryId
from router.engine.offers import hold, there
from rules import Verdict
from tests.suites.people import NOW, advisor, roster
from tests.suites.stage import RULES, rulebook

BOOK = rulebook(
    RULES.replace(
        "  direct:",
        "  kept: {policy: standard, affinity_s: 20}\n  unkept: {policy: standard, affinity_s: 0}\n  direct:",
    )
    + "hold_s: 60\n"
)
PEOPLE = roster(*(advisor(str(presence), presence=presence) for presence in Presence), advisor("left", active=False))


def detail(queue: str, last: str) -> CaseDetail:
    return CaseDetail(
        account=AccountId("a"),
        origin=InquiryId("i"),
        customer="c",
        verdict=Verdict(queue=queue, policy="standard", rulebook=BOOK.hash),
        last_advisor=last,
        held_for="somebody",
        held_until_ms=1,
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [("online", True), ("away", True), ("finishing", False), ("offline", False), ("left", False), ("stranger", False)],
)
def test_who_is_there(name: str, *, expected: bool) -> None:
    assert (there(PEOPLE, name) is not None) is expected


@pytest.mark.parametrize(
    ("queue", "last", "kept_s"),
    [
        pytest.param("general", "online", 60, id="by the rulebook"),
        pytest.param("general", "offline", 60, id="by the rulebook, wherever he is"),
        pytest.param("gone", "online", 60, id="of a queue that is gone, by the rulebook"),
        pytest.param("general", "", 0, id="nobody has had it"),
        pytest.param("kept", "online", 20, id="by its queue"),
        pytest.param("kept", "away", 20, id="he is away for a while"),
        pytest.param("kept", "offline", 0, id="he is gone"),
        pytest.param("kept", "finishing", 0, id="he is on his way out"),
        pytest.param("kept", "stranger", 0, id="he is no more"),
        pytest.param("unkept", "online", 0, id="never by this queue"),
    ],
)
def test_for_whom_a_case_is_kept(queue: str, last: str, kept_s: int) -> None:
    before = detail(queue, last)
    expected = (last, NOW + kept_s * 1000) if kept_s else ("", None)
    kept = hold(before, BOOK, PEOPLE, NOW)
    assert kept == replace(before, held_for=expected[0], held_until_ms=expected[1])
