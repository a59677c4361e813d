import pytest

from channels.telegram.pieces import Piece, pieces
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
        (reply("", FILE), [Piece("", FILE)]),
        (reply("see", FILE), [Piece("see", FILE)]),
        (reply("x" * 1025, FILE), [Piece("x" * 1025), Piece("", FILE)]),
        (reply("see", FILE, FILE), [Piece("see"), Piece("", FILE), Piece("", FILE)]),
        (reply("x" * 4097), [Piece("x" * 4096), Piece("x")]),
        (reply("\U0001f600" * 2049), [Piece("\U0001f600" * 2048), Piece("\U0001f600")]),
    ],
)
def test_what_is_sent(made: Reply, expected: list[Piece]) -> None:
    assert list(pieces(made)) == expected
