"""What comes behind DATA."""

import pytest

from channels.email.smtp_body import Body, Budget, Excess


def fed(wire: bytes, size: int, *, max_bytes: int = 1000, budget: int = 10_000) -> Body:
    body = Body(Budget(budget), max_bytes)
    for start in range(0, len(wire), size):
        assert not body.is_complete
        body.feed(wire[start : start + size])
    return body


@pytest.mark.parametrize("size", [1, 2, 3, 5, 1000])
@pytest.mark.parametrize(
    ("wire", "content"),
    [
        (b".\r\n", b""),
        (b"a\r\n.\r\n", b"a\r\n"),
        (b"..\r\n..a\r\n.b\r\nc.\r\n.\r\n", b".\r\n.a\r\nb\r\nc.\r\n"),
        (b"\r\n\r\n.\r\n", b"\r\n\r\n"),
        (b"a\n.\nMAIL FROM:<x>\r\n.\r\n", b"a\n.\nMAIL FROM:<x>\r\n"),
        (b"a\n.\r\nb\r\n.\n\r\n.\r\n", b"a\n.\r\nb\r\n\n\r\n"),
        (b"a\r.\r\r\n.\r\n", b"a\r.\r\r\n"),
    ],
)
def test_it_ends_at_the_lone_dot_and_nowhere_else(wire: bytes, content: bytes, size: int) -> None:
    body = fed(wire, size)
    assert body.is_complete
    assert body.content() == content


def test_what_is_behind_the_dot_is_the_next_command() -> None:
    assert fed(b"a\r\n.\r\nQUIT\r\n", 100).rest == b"QUIT\r\n"


@pytest.mark.parametrize("size", [1, 7, 4096])
@pytest.mark.parametrize(("max_bytes", "budget", "excess"), [(1000, 10_000, Excess.MAIL), (9000, 1000, Excess.IN_HAND)])
def test_too_much_is_read_to_its_end_and_not_kept(size: int, max_bytes: int, budget: int, excess: Excess) -> None:
    shared = Budget(budget)
    body = Body(shared, max_bytes)
    wire = b"x" * 5000 + b"\r\n.\r\n"
    for start in range(0, len(wire), size):
        body.feed(wire[start : start + size])
    assert (body.is_complete, body.excess) == (True, excess)
    assert shared.take(budget)


def test_what_was_held_is_given_back() -> None:
    shared = Budget(100)
    body = Body(shared, 1000)
    body.feed(b"x" * 60)
    assert not shared.take(60)
    body.release()
    body.release()
    assert shared.take(100)
    assert not shared.take(1)
