"""Mutants can still be made of this product, and each changes what it says. That the harness kills them is proved by
``make faults MUTANT=name``, on real processes."""

import subprocess
import sys

import pytest

from router.store import library
from tests.faults.mutants import MUTANTS, mutated
from tests.suites.faults.strikes import BY_NAME


@pytest.mark.parametrize("name", [name for name, mutant in MUTANTS.items() if mutant.lua])
def test_a_mutant_of_the_library_changes_it(name: str) -> None:
    for part, changes in MUTANTS[name].lua.items():
        whole = library._part(part)
        assert mutated(whole, changes) != whole


@pytest.mark.parametrize(("text", "times"), [("absent", 0), ("a", 2)])
def test_what_is_not_there_once_is_refused(text: str, times: int) -> None:
    with pytest.raises(LookupError, match=f"is there {times} times"):
        mutated("a b a", ((text, "c"),))


def test_a_mutant_runs_as_the_command_line_does() -> None:
    command = [sys.executable, "-m", "tests.faults.mutants", "outbox-outside", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert "turnout" in done.stdout


def test_small_caches_are_small() -> None:
    show = (
        "from tests.faults.mutants import MUTANTS; MUTANTS['small-caches'].apply();"
        "from router.api.acts import operations; from router.api.sessions import session;"
        "from router.service.latest import Latest;"
        "print(Latest()._limit, operations._REMEMBERED, session._MAX_TOLD)"
    )
    done = subprocess.run([sys.executable, "-c", show], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == ["32", "32", "32"]


def test_a_mutant_names_faults_that_there_are() -> None:
    named = {fault for mutant in MUTANTS.values() for fault in mutant.faults}
    assert named <= BY_NAME.keys()
