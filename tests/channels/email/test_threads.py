"""Which conversation a mail belongs to."""

import pytest

from channels.email.mime import Headers
from channels.email.threads import (
    MailTokens,
    SentReply,
    message_ids,
    plus_address,
    shortened,
    thread_of,
    without_plus,
)
from router.contract.ids import AccountId, CaseId, ConversationId, ReplyId, conversation_id
from router.runtime.secret import Secret
from router.runtime.signer import Signer

SHOP = AccountId("shop")
TOKENS = MailTokens(Signer([Secret("key")]), SHOP)
ONE = ConversationId("11111111-2222-4333-8444-555555555555")
TWO = ConversationId("99999999-2222-4333-8444-555555555555")


def token(conversation: ConversationId = ONE) -> str:
    made = TOKENS.token(conversation)
    assert made is not None
    return made


def ours(conversation: ConversationId = ONE) -> str:
    return f"<r1@{token(conversation)}.shop.example>"


def conversation(*, to: str = "help@shop.example", **headers: str) -> ConversationId:
    values = {name.replace("_", "-"): (value,) for name, value in headers.items()}
    return thread_of(Headers(values), SHOP, TOKENS, recipients=(to,), fallback="fallback").conversation


@pytest.mark.parametrize(
    ("headers", "to", "found"),
    [
        ({}, "", conversation_id(SHOP, "fallback")),
        ({"message_id": "<a@b>"}, "", conversation_id(SHOP, "<a@b>")),
        ({"message_id": "broken"}, "", conversation_id(SHOP, "fallback")),
        ({"message_id": "<a@b>", "in_reply_to": "<p@b>"}, "", conversation_id(SHOP, "<p@b>")),
        ({"in_reply_to": "<p@b>", "references": "<root@b> <p@b>"}, "", conversation_id(SHOP, "<root@b>")),
        ({"in_reply_to": ours()}, "", ONE),
        ({"in_reply_to": ours().upper()}, "", ONE),
        ({"references": f"<root@b> {ours()} <x@y>"}, "", ONE),
        ({"references": f"{ours(TWO)} {ours(ONE)}"}, "", ONE),
        ({"references": ours(TWO), "in_reply_to": ours()}, "", ONE),
        ({"message_id": "<a@b>"}, f"help+{token()}@shop.example", ONE),
        ({"message_id": "<a@b>"}, f"HELP+{token().upper()}@SHOP.EXAMPLE", ONE),
        ({"in_reply_to": ours(TWO)}, f"help+{token()}@shop.example", TWO),
        ({"message_id": "<a@b>"}, f"help+{'a' * 42}@shop.example", conversation_id(SHOP, "<a@b>")),
        ({"message_id": "<a@b>"}, "help+news@shop.example", conversation_id(SHOP, "<a@b>")),
    ],
)
def test_the_conversation(headers: dict[str, str], to: str, found: ConversationId) -> None:
    assert conversation(to=to or "help@shop.example", **headers) == found


def test_a_token_is_worth_nothing_elsewhere() -> None:
    for other in (MailTokens(Signer([Secret("key")]), AccountId("bills")), MailTokens(Signer([Secret("no")]), SHOP)):
        assert other.conversation(token()) is None
        assert TOKENS.unseal(other.seal(SentReply(ReplyId("r"), CaseId("c"), ONE))) is None
    changed = ("a" if token()[0] != "a" else "b") + token()[1:]
    assert TOKENS.conversation(changed) is None


def test_a_token_survives_a_change_of_keys() -> None:
    after = MailTokens(Signer([Secret("new"), Secret("key")]), SHOP)
    assert after.conversation(token()) == ONE


def test_a_conversation_that_is_not_ours_has_no_token() -> None:
    for name in ("chat-1", "", ONE.upper().replace("1", "A"), "11111111222243338444555555555555"):
        assert TOKENS.token(ConversationId(name)) is None


def test_what_is_sealed_comes_back() -> None:
    sent = SentReply(ReplyId("r"), CaseId("key:op"), ONE)
    assert TOKENS.unseal(TOKENS.seal(sent)) == sent
    assert TOKENS.unseal("nonsense") is None


def test_addresses() -> None:
    assert plus_address("help@shop.example", token()) == f"help+{token()}@shop.example"
    assert plus_address("help@shop.example", None) is None
    assert plus_address(f"{'h' * 30}@shop.example", token()) is None
    assert without_plus("Help+x+y@Shop.example") == "help@shop.example"


def test_ids_that_could_break_a_header_are_left_out() -> None:
    assert message_ids("<a@b> <c d@e> <<f@g>> <안@b> \x00<h@i>") == ("<a@b>", "<f@g>", "<h@i>")
    assert len(message_ids("<a@b>" * 1000)) == 200


def test_references_stay_short_and_keep_the_root() -> None:
    many = [f"<{number}@b>" for number in range(100)]
    kept = shortened(many)
    assert len(kept) == 20
    assert (kept[0], kept[-1]) == (many[0], many[-1])
    assert shortened(["<a@b>", "<a@b>"]) == ("<a@b>",)
