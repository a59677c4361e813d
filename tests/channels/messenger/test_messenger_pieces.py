import pytest

from channels.messenger.pieces import Piece, pieces
from router.contract.messages import Reply
from tests.suites.replies import FILE, saying


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (saying(" hello \n"), [Piece("hello")]),
        (saying(" \n"), []),
        (saying("see", FILE, FILE), [Piece("see"), Piece(file=FILE), Piece(file=FILE)]),
        (saying("", FILE), [Piece(file=FILE)]),
        (saying("x" * 2001), [Piece("x" * 2000), Piece("x")]),
        (saying("\U0001f600" * 1001), [Piece("\U0001f600" * 1000), Piece("\U0001f600")]),
    ],
)
def test_what_is_sent(made: Reply, expected: list[Piece]) -> None:
    assert list(pieces(made)) == expected
