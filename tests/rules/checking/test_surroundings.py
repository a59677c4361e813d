"""Names of the settings that rulebook and roster use."""

import pytest

from rules import load_roster
from rules.checking.surroundings import Surroundings, misplaced
from rules.errors import Severity
from tests.suites.stage import RULES, rulebook


def test_an_unknown_pool_is_an_error_where_it_is_written_and_the_likely_one_is_named() -> None:
    roster = load_roster({"r.yaml": "advisors:\n  - {id: mina, name: Mina, pool: soeul}\n"})
    (problem,) = misplaced(rulebook(), roster, Surroundings(pools=("seoul", "busan"), targets=("webhook",)))
    assert problem.severity is Severity.ERROR
    assert "no pool `soeul`" in problem.message
    assert "seoul" in problem.message.removeprefix("the settings have no pool `soeul`")
    assert problem.place is not None
    assert (problem.path, problem.place.file, problem.place.line) == ("advisor mina", "r.yaml", 2)


def test_a_notice_without_a_target_is_a_doubt() -> None:
    roster = load_roster({"r.yaml": "advisors:\n  - {id: mina, name: Mina}\n"})
    (problem,) = misplaced(rulebook(), roster, Surroundings())
    assert problem.severity is Severity.WARNING
    assert "no target `webhook`" in problem.message
    assert "ladders" in problem.path
    assert not list(misplaced(rulebook(), roster, Surroundings(targets=("webhook",))))


def test_a_target_that_is_missing_is_told_once_however_often_it_is_named() -> None:
    told = "{steps: [{at: 0.5, notify: [leads]}, {at: breach, notify: [leads]}], above: [leads]}"
    text = RULES.replace("{steps: [{at: breach, raise_priority: 1, notify: [webhook]}]}", told)
    roster = load_roster({"r.yaml": "advisors:\n  - {id: mina, name: Mina}\n"})
    (problem,) = misplaced(rulebook(text), roster, Surroundings())
    assert problem.message.endswith("no target `leads`: its notices go nowhere (named in 2 more places)")
    assert problem.path == "ladders.standard.steps[0].notify"


@pytest.mark.parametrize(("pool", "ids"), [("north", ["a", "b"]), ("south", ["c"]), ("east", [])])
def test_an_advisor_belongs_to_his_pool_or_to_the_first(pool: str, ids: list[str]) -> None:
    rows = "advisors: [{id: a, name: A}, {id: b, name: B, pool: north}, {id: c, name: C, pool: south}]"
    around = Surroundings(pools=("north", "south"))
    assert [row.id for row in around.rows(load_roster({"r.yaml": rows}), pool)] == ids
