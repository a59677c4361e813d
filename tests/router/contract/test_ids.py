"""Ids: the same for ever, and different where their parts are."""

import uuid
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.contract import (
    AccountId,
    AdvisorId,
    CaseId,
    InquiryId,
    OperationId,
    ReplyId,
    case_id,
    conversation_id,
    event_id,
    inquiry_id,
    mail_inquiry_id,
    message_id,
    notice_id,
    offer_id,
    reply_id,
)

NAMESPACE = uuid.UUID("6f0d0e6e-6b1c-5a86-9a53-2d7f0c6f4a11")
MAIL = AccountId("support-mail")
PAGE = AccountId("page")
CASE = CaseId("0db5a916-5970-5795-9cdd-d5adecc12142")

# A value here never changes: on the next redelivery every stored id would be another one.
PINNED = [
    (inquiry_id(PAGE, "m_1"), "b87348cc-7d8a-5593-89de-5ab8bebd29b7"),
    (inquiry_id(PAGE, "주문 문의"), "7ab55d53-c942-57ff-b8c9-a9d0ae701a1a"),
    (mail_inquiry_id("<1@example.com>", "Help@Example.com", "00ff"), "2653140c-0426-589f-a70e-bc1c3be972fb"),
    (conversation_id(MAIL, "<1@example.com>"), "b7c86064-3223-54ce-993d-198ae4b2661e"),
    (case_id(InquiryId("i-1")), "i-1"),
    (event_id(CASE, 2, 17), f"{CASE}:2.17"),
    (offer_id(CASE, 2, 17, AdvisorId("minji")), f"{CASE}:2.17/minji"),
    (reply_id(CASE, OperationId("key-1:a")), "867d6be5-51f9-52cc-b541-03c1287b29c5"),
    (notice_id(CASE, "breach|resolution", "slack"), "94ec25b6-004c-5f06-8f1a-9c7a6c9d6c36"),
    (message_id(ReplyId("r-1"), "mail.example.com"), "<r-1@mail.example.com>"),
]

Maker = Callable[[str, str], str]
PAIRS: dict[str, Maker] = {
    "inquiry": lambda a, b: inquiry_id(AccountId(a), b),
    "conversation": lambda a, b: conversation_id(AccountId(a), b),
    "reply": lambda a, b: reply_id(CaseId(a), OperationId(b)),
    "notice": lambda a, b: notice_id(CaseId("c"), a, b),
    "mail": lambda a, b: mail_inquiry_id(a, "to@example.com", b),
}
PARTS = st.text(alphabet="a|:1é한😀", max_size=6)


@pytest.mark.parametrize(("made", "pinned"), PINNED)
def test_ids_never_change(made: str, pinned: str) -> None:
    assert made == pinned


@pytest.mark.parametrize("maker", PAIRS.values(), ids=PAIRS)
@given(one=st.tuples(PARTS, PARTS), other=st.tuples(PARTS, PARTS))
def test_ids_differ_exactly_where_their_parts_do(maker: Maker, one: tuple[str, str], other: tuple[str, str]) -> None:
    assert (maker(*one) == maker(*other)) == (one == other)


@pytest.mark.parametrize("maker", PAIRS.values(), ids=PAIRS)
def test_the_border_between_two_parts_counts(maker: Maker) -> None:
    made = [
        maker("ab", "c"),
        maker("a", "bc"),
        maker("abc", ""),
        maker("", "abc"),
        maker("a|1:b", "c"),
        maker("c", "ab"),
    ]
    assert len(set(made)) == len(made)


def test_ids_of_different_kinds_differ() -> None:
    made = [maker("same", "parts") for maker in PAIRS.values()]
    assert len(set(made)) == len(made)


def test_the_mailbox_of_a_mail_has_no_case_but_its_message_id_has() -> None:
    assert mail_inquiry_id("<A>", "HELP@X.com", "0") == mail_inquiry_id("<A>", "help@x.com", "0")
    assert mail_inquiry_id("<A>", "help@x.com", "0") != mail_inquiry_id("<a>", "help@x.com", "0")


def test_one_mail_to_two_mailboxes_is_two_inquiries() -> None:
    assert mail_inquiry_id("<A>", "a@x.com", "0") != mail_inquiry_id("<A>", "b@x.com", "0")


def test_a_message_id_used_again_for_another_text_is_another_inquiry() -> None:
    assert mail_inquiry_id("<A>", "a@x.com", "0") != mail_inquiry_id("<A>", "a@x.com", "1")


@given(st.text(), st.text())
def test_ids_are_uuids_of_version_5(account: str, name: str) -> None:
    made = inquiry_id(AccountId(account), name)
    text = f"inquiry|{len(account)}:{account}|{len(name)}:{name}"
    assert made == str(uuid.uuid5(NAMESPACE, text))
