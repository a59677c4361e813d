"""What an older version can't read at all goes with a new format, by which it keeps away."""

from router.contract.advisor import Presence, WorkKind
from router.contract.case import CaseStatus
from router.store.library import FORMAT as OF_SERVERS
from router.store.memory.guard import FORMAT as IN_MEMORY

# Whoever adds a word raises the format: a process that doesn't know it ends when it reads a row that has it.
FORMAT = 1
WORDS = {
    CaseStatus: "assigned closed moved offered parked pending queued resolved",
    Presence: "away finishing offline online",
    WorkKind: "case consult consult-offer offer parked wrap-up",
}


def test_a_new_word_in_a_row_is_a_new_format() -> None:
    assert (OF_SERVERS, IN_MEMORY) == (FORMAT, FORMAT)
    assert {kind: " ".join(sorted(kind)) for kind in WORDS} == WORDS
