"""The first weeks of a new advisor: which week it is, what it bounds, and what can be written wrong."""

from datetime import UTC, datetime

import pytest

from rules import RosterError, load_roster
from rules.roster import AdvisorRow

ROSTER = """
advisors:
  - id: mina
    name: Mina
    budget: 80
    skills: {billing: 8, returns: 2}
    languages: {ko: 9}
    onboarding:
      from: 2026-11-02
      time_zone: Asia/Seoul
      weeks: [{budget: 30, level: 3}, {budget: 90}, {level: 5}]
"""


def _mina(text: str = ROSTER) -> AdvisorRow:
    (row,) = load_roster({"roster.yaml": text}).advisors
    return row


def _ms(written: str) -> int:
    return int(datetime.fromisoformat(written).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("now", "budget", "billing"),
    [
        ("2026-10-01T00:00", 30, 3),
        ("2026-11-01T15:00", 30, 3),
        # Midnight in Seoul is three in the afternoon of the day before.
        ("2026-11-08T14:59", 30, 3),
        ("2026-11-08T15:00", 80, 8),
        ("2026-11-15T15:00", 80, 5),
        ("2026-11-22T14:59", 80, 5),
        ("2026-11-22T15:00", 80, 8),
        ("2030-01-01T00:00", 80, 8),
    ],
)
def test_each_week_bounds_what_it_says(now: str, budget: int, billing: int) -> None:
    row = _mina().at(_ms(now))
    assert (row.budget, row.skills, row.languages) == (budget, {"billing": billing, "returns": 2}, {"ko": 9})


def test_who_has_none_is_as_he_is_written() -> None:
    row = _mina(ROSTER.split("    onboarding:", maxsplit=1)[0])
    assert row.at(0) is row


@pytest.mark.parametrize(
    ("written", "wrong", "said"),
    [
        ("2026-11-02", "2026-11-31", "no date"),
        ("2026-11-02", "soon", "no date"),
        ("Asia/Seoul", "Asia/Soul", "no time zone"),
        ("level: 3", "level: 11", "<= 10"),
        ("[{budget: 30, level: 3}, {budget: 90}, {level: 5}]", "[]", ">= 1"),
        ("budget: 30", "units: 30", "units"),
    ],
)
def test_what_is_wrong_is_said(written: str, wrong: str, said: str) -> None:
    with pytest.raises(RosterError, match=said):
        _mina(ROSTER.replace(written, wrong))
