"""Who is told: what may be written, and what is said of what may not."""

import pytest

from rules import RulebookError, load, load_roster, restore
from rules.checking.surroundings import Surroundings, misplaced
from rules.notices import Addressee, Who, addressee, target_of
from rules.rulebook import content

GOOD = """\
defaults: {queue: general}
calendars:
  days: {time_zone: Asia/Seoul, week: {mon-fri: [09:00-18:00]}}
teams:
  seoul: {leads: [{advisor: minji, calendar: days}, {advisor: jun}]}
supervisors: [{advisor: hana}]
quiet:
  leads: {calendar: days, urgent: 2}
ladders:
  slow: {steps: [{at: 0.5, notify: [leads, queue]}, {at: breach, notify: [assignee via mail, lead via mail]}]}
policies: {standard: {first_response_s: 3600, resolution_s: 86400}}
queues: {general: {policy: standard, ladder: slow, team: seoul, notify: room}}
outcomes: {solved: Solved}
"""


def problems_of(text: str) -> list[str]:
    with pytest.raises(RulebookError) as caught:
        load({"a.yaml": text})
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("told", "meant", "target"),
    [
        ("leads", Addressee(Who.TARGET, "leads"), "leads"),
        ("queue", Addressee(Who.QUEUE, ""), ""),
        ("assignee via mail", Addressee(Who.ASSIGNEE, "mail"), "mail"),
        ("lead via slack-app", Addressee(Who.LEAD, "slack-app"), "slack-app"),
        ("supervisor via mail", Addressee(Who.SUPERVISOR, "mail"), "mail"),
    ],
)
def test_an_entry_means_what_it_says(told: str, meant: Addressee, target: str) -> None:
    assert addressee(told) == meant
    assert target_of(told) == target


def test_what_is_right_loads_and_comes_back_from_a_store() -> None:
    book = load({"a.yaml": GOOD})
    again = restore(content(book))
    assert (again.teams, again.supervisors, again.quiet) == (book.teams, book.supervisors, book.quiet)
    assert [duty.advisor for duty in book.teams["seoul"].leads] == ["minji", "jun"]


@pytest.mark.parametrize(
    ("good", "bad", "said"),
    [
        ("[assignee via mail,", "[asignee via mail,", 'lead, supervisor (did you mean "assignee"?)'),
        ("[assignee via mail,", "[assignee,", "say by which target of the settings: `assignee via TARGET`"),
        ("[assignee via mail,", "[Room 5,", "is nobody to tell; write a target, `queue`, or `assignee via TARGET`"),
        ("[leads, queue]", "[leads, leads, queue]", "`leads` is listed twice"),
        (", notify: room", "", "its ladder `slow` tells `queue`: name a target of the settings here, `notify`"),
        ("team: seoul", "team: soeul", 'there is no team `soeul` (did you mean "seoul"?)'),
        ("minji, calendar: days", "minji, calendar: day", 'there is no calendar `day` (did you mean "days"?)'),
        ("minji, calendar: days", "minji", "`minji` is always on shift: nobody after him is ever asked"),
        ("leads: {calendar: days,", "leads: {calendar: dais,", 'there is no calendar `dais` (did you mean "days"?)'),
        ("urgent: 2", "urgent: 9", "urgent"),
        ("leads: [{advisor: minji, calendar: days}, {advisor: jun}]", "leads: []", "leads"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_where_it_stands(good: str, bad: str, said: str) -> None:
    assert good in GOOD
    problems = problems_of(GOOD.replace(good, bad, 1))
    assert any(said in problem for problem in problems), problems
    assert all(problem.startswith("a.yaml:") for problem in problems)


ROSTER = """\
advisors:
  - {id: minji, name: Minji, team: seoul, email: m@shop.example, contacts: {slack_app: U012}}
  - {id: jun, name: Jun}
  - {id: hana, name: Hana}
"""
AROUND = Surroundings(targets=("leads", "room", "mail"))


def test_names_that_roster_and_settings_have_are_no_doubt() -> None:
    roster = load_roster({"r.yaml": ROSTER})
    assert roster.advisors[2].contacts == {"slack_app": "U012"}
    assert list(misplaced(load({"a.yaml": GOOD}), roster, AROUND)) == []


@pytest.mark.parametrize(
    ("good", "bad", "said"),
    [
        ("advisor: minji", "advisor: minij", 'the roster has no advisor `minij` (did you mean "minji"?)'),
        ("advisor: hana", "advisor: bora", "the roster has no advisor `bora`"),
        ("assignee via mail", "assignee via mial", 'no target `mial`: its notices go nowhere (did you mean "mail"?)'),
        ("notify: room", "notify: rom", 'no target `rom`: its notices go nowhere (did you mean "room"?)'),
        ("leads: {calendar", "lead: {calendar", 'no target `lead`: its notices go nowhere (did you mean "leads"?)'),
    ],
)
def test_names_that_they_have_not_are_doubts_that_name_the_likely_one(good: str, bad: str, said: str) -> None:
    assert good in GOOD
    problems = list(misplaced(load({"a.yaml": GOOD.replace(good, bad)}), load_roster({"r.yaml": ROSTER}), AROUND))
    assert any(said in problem.message for problem in problems), problems


def test_a_team_that_nobody_is_of_is_a_doubt() -> None:
    roster = load_roster({"r.yaml": ROSTER.replace("team: seoul", "team: seol")})
    (problem,) = misplaced(load({"a.yaml": GOOD}), roster, AROUND)
    assert problem.message == 'the roster has no team `seoul` (did you mean "seol"?)'


def test_a_contact_with_a_blank_in_it_is_refused() -> None:
    with pytest.raises(Exception, match="has blanks in it"):
        load_roster({"r.yaml": ROSTER.replace("U012", '"U 012"')})
