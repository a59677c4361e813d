"""Policies: what is written, what is refused, and what each clock does by it."""

import pytest

from rules import Roster, RulebookError, content, load, load_roster, restore
from rules.checking.surroundings import Surroundings, misplaced
from rules.policies import CONDUCT, Before, Clock, Cue, Policy, conduct_of

CALENDAR = """\
defaults: {queue: general}
policies:
  standard: {first_response_s: 3600, resolution_s: 7200}
queues:
  general: {policy: standard}
outcomes: {solved: Done}
calendars:
  seoul: {time_zone: Asia/Seoul, week: {mon-fri: ["09:00-18:00"]}}
"""
OPTIONS = """\
  full:
    first_response_s: 3600
    next_response_s: 1800
    resolution_s: 86400
    assignment_s: 600
    update_s: 14400
    third_party_s: 172800
    calendar: seoul
    warn: [0.5, {before_s: 900}]
    clocks:
      first_response: {starts: [assigned], stops: [reply, automatic-reply]}
      resolution: {pause: [customer], warn: []}
      third_party: {elapsed: true, chase: {notify: [desk], every_s: 86400, most: 2}}
"""
BOOK = CALENDAR.replace("queues:\n", OPTIONS + "queues:\n")


def test_what_is_written_is_read_and_restored() -> None:
    book = load({"a.yaml": BOOK})
    full = restore(content(book)).policies["full"]
    assert full == book.policies["full"]
    assert full.targets == {
        "first_response": 3600,
        "next_response": 1800,
        "resolution": 86400,
        "assignment": 600,
        "update": 14400,
        "third_party": 172800,
    }
    assert full.warnings("first_response") == (0.5, Before(before_s=900))
    assert full.warnings("resolution") == ()
    assert [book.calendar_of("full", clock) is None for clock in ("update", "third_party")] == [False, True]


def test_a_policy_that_says_no_more_than_before_promises_no_more() -> None:
    plain = Policy(first_response_s=10, resolution_s=20)
    assert plain.targets == {"first_response": 10, "resolution": 20}
    assert plain.warnings("resolution") == (0.8,)
    assert (plain.target_s("update"), plain.target_s("age")) == (None, None)


def test_every_clock_has_a_conduct_and_starts_and_stops_by_it() -> None:
    assert set(CONDUCT) == set(Clock)
    assert all(each.starts and each.stops for each in CONDUCT.values())


def test_a_policy_may_say_otherwise_for_one_clock() -> None:
    full = load({"a.yaml": BOOK}).policies["full"]
    assert conduct_of(full, "first_response").starts == {Cue.ASSIGNED}
    assert conduct_of(full, "first_response").stops == {Cue.REPLY, Cue.AUTOMATIC_REPLY}
    assert conduct_of(full, "resolution").pause == {"customer"}
    assert conduct_of(full, "update") == CONDUCT["update"]
    assert conduct_of(full, "of-a-newer-version").starts == frozenset()


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("    update_s: 14400\n", "    update: 14400\n", 'unknown field `update` (did you mean "update_s"?)'),
        ("warn: [0.5,", "warn: [1.5,", "policies.full.warn[0]"),
        ("{before_s: 900}", "{after_s: 900}", "policies.full.warn[1]"),
        ("pause: [customer]", "pause: [courier]", "policies.full.clocks.resolution.pause[0]"),
        ("pause: [customer]", "pause: [customer, customer]", "policies.full.clocks.resolution.pause[1]"),
        ("starts: [assigned]", "starts: [pended]", "policies.full.clocks.first_response.starts[0]"),
        ("elapsed: true,", "elapsed: true, calendar: seoul,", "policies.full.clocks.third_party.calendar: with"),
        ("    third_party_s: 172800\n", "", "policies.full.clocks.third_party: the policy promises nothing for it"),
        ("resolution: {pause", "resolution: {chase: {notify: [x]}, pause", "clocks.resolution.chase: only"),
        ("resolution: {pause", "resolution: {calendar: soeul, pause", "clocks.resolution.calendar: there is no"),
        ("most: 2", "most: 0", "policies.full.clocks.third_party.chase.most"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_policy_is_said_with_its_place(old: str, new: str, told: str) -> None:
    assert old in BOOK
    with pytest.raises(RulebookError) as caught:
        load({"a.yaml": BOOK.replace(old, new, 1)})
    assert told in str(caught.value)


def test_a_reminder_to_a_target_that_is_not_there_is_doubtful() -> None:
    book = load({"a.yaml": BOOK})
    (doubt,) = misplaced(book, _nobody(), Surroundings(targets=("desks",)))
    assert 'the settings have no target `desk`: its notices go nowhere (did you mean "desks"?)' in str(doubt)
    assert list(misplaced(book, _nobody(), Surroundings(targets=("desk",)))) == []


def _nobody() -> Roster:
    return load_roster({"r.yaml": "advisors: [{id: ann, name: Ann, languages: {en: 5}}]"})
