import pytest

from router.contract.ids import AccountId, ConversationId, InquiryId, PoolId
from router.contract.messages import Address, Customer, Inquiry
from router.runtime.errors import SettingsError
from router.runtime.hosting.masks import Masks
from router.runtime.settings.model import Mask, Settings

DEFAULTS = Masks(Settings().masks)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("nothing here", "nothing here"),
        ("900101-1234567", "[resident-number]"),
        ("my number 900101-1234567.", "my number [resident-number]."),
        ("번호900101-1234567입니다", "번호[resident-number]입니다"),
        ("９００１０１-１２３４５６７", "[resident-number]"),
        ("번호 ９００１０１-1234567 끝", "번호 [resident-number] 끝"),
        ("4111 1111 1111 1111", "[card-number]"),
        ("카드4111-1111-1111-1111로", "카드[card-number]로"),
        ("두 개 900101-1234567, 900202-2345678", "두 개 [resident-number], [resident-number]"),
        ("order 123456", "order 123456"),
        ("😀900101-1234567😀", "😀[resident-number]😀"),
        ("", ""),
    ],
)
def test_numbers_are_blanked_out_in_every_script(text: str, masked: str) -> None:
    assert DEFAULTS.text(text) == masked


def test_all_that_a_customer_writes_is_masked_and_ids_are_not() -> None:
    secret = "4111 1111 1111 1111"
    inquiry = Inquiry(
        id=InquiryId(secret),
        pool=PoolId("default"),
        account=AccountId("shop"),
        channel="webhook",
        conversation=ConversationId("v"),
        customer=Customer(id=secret),
        reply_to=Address(account=AccountId("shop"), address=secret),
        received_at_ms=1,
        text=secret,
        subject=secret,
        quoted=secret,
        fields={"card": secret},
    )
    masked = DEFAULTS.inquiry(inquiry)
    assert (masked.text, masked.subject, masked.quoted) == ("[card-number]",) * 3
    assert masked.fields == {"card": "[card-number]"}
    assert (masked.id, masked.customer.id, masked.reply_to.address) == (secret,) * 3


def test_what_has_nothing_to_mask_stays_the_same_object() -> None:
    inquiry = Inquiry(
        id=InquiryId("i"),
        pool=PoolId("default"),
        account=AccountId("shop"),
        channel="webhook",
        conversation=ConversationId("v"),
        customer=Customer(id="c"),
        reply_to=Address(account=AccountId("shop"), address="c"),
        received_at_ms=1,
        text="안녕",
    )
    assert DEFAULTS.inquiry(inquiry) is inquiry
    assert Masks(()).inquiry(inquiry) is inquiry


def test_masks_apply_in_their_order() -> None:
    masks = Masks((Mask(name="one", pattern="ab"), Mask(name="two", pattern=r"\[one\]c")))
    assert masks.text("abc ab") == "[two] [one]"


def test_every_pattern_that_is_none_is_named() -> None:
    with pytest.raises(SettingsError) as caught:
        Masks((Mask(name="a", pattern="("), Mask(name="b", pattern="x"), Mask(name="c", pattern="[")))
    assert [problem.split(":")[0] for problem in caught.value.problems] == ["masks[0].pattern", "masks[2].pattern"]
