import pytest

from channels.messenger.pieces import Piece, pieces
from router.contract.ids import AccountId, CaseId, ConversationId, PoolId, ReplyId
from router.contract.messages import Address, Attachment, Reply

FILE = Attachment(name="a.pdf", media_type="application/pdf", size_bytes=1, sha256="x", blob="shop/i/0")


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
