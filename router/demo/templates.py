"""What customers write in the demo: realistic messages, each with what it needs, stated by hand.

Nothing here asks the rulebook. The account at the end holds the service against these statements, and a test
holds the statements against the rulebook that comes with Turnout.
"""

from typing import Final

import msgspec

from router.demo.korean_templates import ANSWERS_KO, KOREAN, LATER_KO, MORE_KO
from router.demo.template import Template

_BILLING: Final = {"billing": 3}
_CHARGE: Final = {"billing": 5}
_DELIVERY: Final = {"delivery": 3}
_RETURNS: Final = {"returns": 3}
_TECHNICAL: Final = {"technical": 3}
_ACCESS: Final = {"account-access": 3}
_SAFETY: Final = {"account-access": 6}
_COMPLAINT: Final = {"complaints": 4}
_LEGAL: Final = {"complaints": 6}


def _english(name: str, skills: dict[str, int], subject: str, text: str, *, queue: str = "") -> Template:
    return Template(
        name=f"en-{name}", language="en", skills=skills, queue=queue or next(iter(skills)), subject=subject, text=text
    )


ENGLISH: Final = (
    _english(
        "invoice-copy",
        _BILLING,
        "Invoice",
        "Hello, could you send me the invoice for order {token}? My accountant needs it with our VAT number on it.",
    ),
    _english("charged-twice", _CHARGE, "Charged twice", "My card was charged twice for order {token}. Please check."),
    _english(
        "subscription",
        _BILLING,
        "My subscription",
        "Why did the price of my subscription {token} go up this month? Nobody told me about it.",
    ),
    _english(
        "coupon",
        _BILLING,
        "Coupon",
        "The coupon was not taken off when I paid for order {token}. Could you please correct that?",
    ),
    _english("parcel-late", _DELIVERY, "Late", "Order {token} should be here since Monday. Where is my parcel?"),
    _english(
        "neighbour",
        _DELIVERY,
        "Left with a neighbour",
        "The courier says order {token} was left with a neighbour, but nobody here has it. What can we do?",
    ),
    _english(
        "new-address",
        _DELIVERY,
        "New address",
        "I have moved. Could you change the address of order {token} before it is shipped, please?",
    ),
    _english(
        "tracking-stuck",
        _DELIVERY,
        "Tracking",
        "Hi, the tracking of order {token} has not moved for four days. Is it lost?",
    ),
    _english(
        "wrong-size",
        _RETURNS,
        "Wrong size",
        "The shoes of order {token} are the wrong size. How do I get them one size larger?",
    ),
    _english(
        "damaged", _RETURNS, "Damaged", "The lamp in order {token} is damaged, the glass has a crack. What should I do?"
    ),
    _english(
        "refund-wait",
        _RETURNS,
        "My refund",
        "I sent all of order {token} back two weeks ago and I have not got my refund yet.",
    ),
    _english(
        "changed-mind",
        _RETURNS,
        "Sending it back",
        "I would like to return the jacket of order {token}. It was never worn. How does that work?",
    ),
    _english(
        "app-crash",
        _TECHNICAL,
        "App",
        "The app crashes whenever I open order {token}. My phone is two years old, if that matters.",
    ),
    _english(
        "bluetooth",
        _TECHNICAL,
        "Headphones",
        "The headphones of order {token} lose bluetooth every few minutes. What can I try?",
    ),
    _english(
        "after-update",
        _TECHNICAL,
        "Black screen",
        "After the update the screen of my reader stays black. The device came with order {token}.",
    ),
    _english(
        "cannot-log-in",
        _ACCESS,
        "Can't get in",
        "I can't log in any more (my last order was {token}) and the mail with the code never comes.",
    ),
    _english(
        "locked",
        _ACCESS,
        "Locked",
        "My account is locked and I need it for order {token} today. Could you open it again, please?",
    ),
    _english(
        "hacked",
        _SAFETY,
        "Somebody was in my account",
        "I think my account was hacked: it shows order {token}, which I never made. Please stop it!",
    ),
    _english(
        "third-promise",
        _COMPLAINT,
        "Third promise",
        "This is unacceptable. It is the third time you promise me order {token} and nothing happens.",
    ),
    _english(
        "rude",
        _COMPLAINT,
        "Your colleague",
        "Your colleague was rude to me on the phone when I asked about order {token}. I want an apology.",
    ),
    _english(
        "lawyer",
        _LEGAL,
        "Last warning",
        "If order {token} is not settled by Friday, you will hear from my lawyer. That is my last word.",
    ),
    _english(
        "shop",
        {},
        "A question",
        "Hello, is there a shop in Leeds where I could see what I have put aside as {token}?",
        queue="general",
    ),
    _english(
        "vip-delivery",
        _DELIVERY,
        "Platinum member",
        "I am a platinum member and order {token} should have been delivered yesterday. Where is it?",
        queue="vip",
    ),
    _english(
        "vip-billing",
        _BILLING,
        "Platinum member",
        "As a platinum member I don't want to wait for the invoice of order {token}. Could you send it now?",
        queue="vip",
    ),
)

ALL: Final[tuple[Template, ...]] = (*ENGLISH, *KOREAN)


class Phrases(msgspec.Struct, frozen=True, kw_only=True):
    """What a customer writes in a conversation that has begun, by the occasion; each takes a ``token``."""

    more: tuple[str, ...]
    """Soon after the first message, before anybody has answered."""
    answers: tuple[str, ...]
    """When the advisor has asked something back."""
    later: tuple[str, ...]
    """When the case was resolved already."""


PHRASES: Final = {
    "en": Phrases(
        more=(
            "I forgot to say: it is quite urgent. ({token})",
            "One more thing, {token}: I am at home only in the mornings.",
            "Are you still there? My reference for this one is {token}.",
        ),
        answers=(
            "Yes, that is right, everything is as you say. ({token})",
            "It is the one from last Tuesday, {token}. Thank you for asking.",
        ),
        later=(
            "Thank you! But there is one more question, {token}: will I get a confirmation?",
            "Sorry, I have to come back to this once more. ({token})",
        ),
    ),
    "ko": Phrases(more=MORE_KO, answers=ANSWERS_KO, later=LATER_KO),
}
