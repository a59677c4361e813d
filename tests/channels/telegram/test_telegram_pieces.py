import pytest

from channels.telegram.pieces import Piece, pieces
from router.contract.messages import Reply
from tests.suites.replies import FILE, saying


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (saying(" hello \n"), [Piece("hello")]),
        (saying(" \n"), []),
        (saying("", FILE), [Piece("", FILE)]),
        (saying("see", FILE), [Piece("see", FILE)]),
        (saying("x" * 1025, FILE), [Piece("x" * 1025), Piece("", FILE)]),
        (saying("see", FILE, FILE), [Piece("see"), Piece("", FILE), Piece("", FILE)]),
        (saying("x" * 4097), [Piece("x" * 4096), Piece("x")]),
        (saying("\U0001f600" * 2049), [Piece("\U0001f600" * 2048), Piece("\U0001f600")]),
    ],
)
def test_what_is_sent(made: Reply, expected: list[Piece]) -> None:
    assert list(pieces(made)) == expected
