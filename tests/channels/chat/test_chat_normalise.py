import pytest
from msgspec.structs import replace

from channels.chat.frames import Hello, Say
from channels.chat.normalise import Visitor, inquiry, kept, read_kept, told
from router.contract.ids import AccountId, PoolId
from router.contract.messages import Address, Inquiry
from tests.suites import replies

NOW_MS = 1_760_000_000_000
VISITOR = Visitor(AccountId("shop"), PoolId("default"), "s1", Hello())
REPLY = replace(
    replies.REPLY, to=Address(account=replies.SHOP, address="s1"), text="내일 옵니다.", created_at_ms=NOW_MS
)


def made(text: str = "hello", id_: str = "m1", visitor: Visitor = VISITOR, now_ms: int = NOW_MS) -> Inquiry:
    found = inquiry(Say(id=id_, text=text), visitor, now_ms=now_ms)
    assert found is not None
    return found


def test_the_same_message_is_the_same_inquiry_whenever_it_comes() -> None:
    assert made().id == made(now_ms=NOW_MS + 1).id
    assert made() == made()


@pytest.mark.parametrize(
    "other",
    [
        made(id_="m2"),
        made(visitor=VISITOR._replace(session="s2")),
        made(visitor=VISITOR._replace(account=AccountId("other"))),
    ],
)
def test_another_message_is_another_inquiry(other: Inquiry) -> None:
    assert other.id != made().id


def test_a_session_is_a_customer_and_a_conversation() -> None:
    assert made().conversation == made(id_="m2").conversation == VISITOR.conversation
    assert (made().customer.id, made().reply_to.address) == ("s1", "s1")


def test_nothing_that_is_not_said_is_carried() -> None:
    assert (made().fields, made().customer.name, made().language) == ({}, "", None)


@pytest.mark.parametrize("text", ["", " ", "\n\t", "\u200e", "\x00"])
def test_nothing_is_no_inquiry(text: str) -> None:
    assert inquiry(Say(id="m1", text=text), VISITOR, now_ms=NOW_MS) is None


@pytest.mark.parametrize(("automatic", "sender"), [(False, "advisor"), (True, "automatic")])
def test_a_reply_is_told_as_it_was_kept(automatic: bool, sender: str) -> None:
    frame = told(read_kept(kept(replace(REPLY, automatic=automatic))), cursor="5-1", id_="r1")
    assert (frame.text, frame.sender, frame.at) == ("내일 옵니다.", sender, "2025-10-09T08:53:20.000Z")
