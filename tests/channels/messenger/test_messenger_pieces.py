import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.messenger.pieces import Piece, parts, pieces, units
from router.contract.ids import AccountId, CaseId, ConversationId, PoolId, ReplyId
from router.contract.messages import Address, Attachment, Reply

FILE = Attachment(name="a.pdf", media_type="application/pdf", size_bytes=1, sha256="x", blob="shop/i/0")
PEOPLE = "\U0001f469\u200d\U0001f4bb"  # one character of three


def reply(text: str, *files: Attachment) -> Reply:
    return Reply(
        id=ReplyId("r1"),
        pool=PoolId("default"),
        case=CaseId("c1"),
        conversation=ConversationId("v1"),
        to=Address(account=AccountId("shop"), address="5"),
        text=text,
        created_at_ms=0,
        attachments=files,
    )


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (reply(" hello \n"), [Piece("hello")]),
        (reply(" \n"), []),
        (reply("see", FILE, FILE), [Piece("see"), Piece(file=FILE), Piece(file=FILE)]),
        (reply("", FILE), [Piece(file=FILE)]),
        (reply("x" * 2001), [Piece("x" * 2000), Piece("x")]),
        (reply("\U0001f600" * 1001), [Piece("\U0001f600" * 1000), Piece("\U0001f600")]),
    ],
)
def test_what_is_sent(made: Reply, expected: list[Piece]) -> None:
    assert list(pieces(made)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("one two three", ["one two", "three"]),
        ("one\ntwo three", ["one\ntwo", "three"]),
        ("abcd\n\nef gh ij", ["abcd", "ef gh ij"]),
        ("abcdef\ngh ij", ["abcdef", "gh ij"]),
        ("a bcdefghijk", ["a bcdefg", "hijk"]),
        ("abcdefg" + "e\u0301", ["abcdefg", "e\u0301"]),
        ("abcdef" + PEOPLE, ["abcdef", PEOPLE]),
        ("", []),
    ],
)
def test_where_a_text_is_parted(text: str, expected: list[str]) -> None:
    assert list(parts(text, 8)) == expected


@given(text=st.text(max_size=400), max_units=st.integers(2, 40))
@settings(max_examples=200, deadline=None)
def test_no_part_is_too_long_and_nothing_but_blanks_is_lost(text: str, max_units: int) -> None:
    made = list(parts(text, max_units))
    assert all(0 < units(part) <= max_units for part in made)
    assert "".join("".join(made).split()) == "".join(text.split())
    assert made == list(parts(text, max_units))
