"""The customers, advisors and rules of the benchmarks: the built-in rulebook, and traffic that fits it."""

import uuid
from importlib import resources
from pathlib import Path
from typing import Any, Final

import yaml

from router.contract.codec import encode
from router.contract.ids import AccountId, ConversationId, InquiryId, PoolId
from router.contract.messages import Address, Customer, Inquiry
from router.contract.records import record_head
from router.runtime.bus.protocol import Outgoing

BUDGET: Final = 10_000
_ALL: Final = 1_000
OFFER_S: Final = 3_600
_SPACE: Final = uuid.UUID("6c1d5b0e-3d0f-5f0b-9a35-0f8f1b1c7e11")
_ACCOUNT: Final = AccountId("support")
_CHANNELS: Final = ("email", "email", "web_form", "chat")
_TOPICS: Final = ("billing", "delivery", "returns", "technical", "account-access", "complaints")
_TEXTS: Final = (
    "Hello, my parcel was promised for Tuesday and the tracking page still shows the depot. When will it be here?",
    "The invoice of last month shows two subscriptions, though I only ever had one. Please look into it.",
    "I want to send the blue jacket back, it is too small. How do I get a label for the return?",
    "Since the last update the app closes as soon as I open my basket. I have a phone from last year.",
    "I forgot my password and the mail with the new one doesn't come, also not among the spam.",
    "Good morning, are your shops open on the holiday? I would like to come by in the afternoon.",
    "This is the third time that nobody came. I want to complain, and to hear from somebody who can decide.",
)


def inquiry(pool: PoolId, number: int) -> Inquiry:
    """The nth inquiry: each opens a conversation of its own."""
    id_ = str(uuid.uuid5(_SPACE, f"{pool}/{number}"))
    text = _TEXTS[number % len(_TEXTS)]
    return Inquiry(
        id=InquiryId(id_),
        pool=pool,
        account=_ACCOUNT,
        channel=_CHANNELS[number % len(_CHANNELS)],
        conversation=ConversationId(f"talk-{id_}"),
        customer=Customer(id=f"customer-{number}", name="A. Customer"),
        reply_to=Address(account=_ACCOUNT, address=f"customer-{number}@example.com"),
        received_at_ms=1_760_000_000_000 + number,
        text=text,
        subject=text[:40],
        language="en",
    )


def record(message: Inquiry) -> Outgoing:
    """An inquiry as a channel puts it on the bus."""
    head = record_head(message)
    return Outgoing(topic=head.topic, key=head.key, value=encode(message), headers=head.headers)


def write_policy(folder: Path, advisors: int, *, one_each: bool = False) -> tuple[Path, Path]:
    """The folder of the rulebook and the file of the roster. The rulebook is the built-in one, with offers that
    stand for the length of a run and nothing to wrap up; every advisor has three of the six skills, and room for all
    his cases or for one."""
    rules = folder / "rules"
    rules.mkdir(parents=True, exist_ok=True)
    defaults = resources.files("rules") / "defaults"
    document: dict[str, Any] = yaml.safe_load((defaults / "rulebook.yaml").read_text("utf-8"))
    for queue in document["queues"].values():
        queue["offer_s"] = OFFER_S
    for channel in document["channels"].values():
        channel.pop("wrap_up_s", None)
        channel.pop("interruptible", None)
        channel["units"] = _ALL if one_each else channel["units"]
    _write(rules / "rulebook.yaml", document)
    (rules / "rules.yaml").write_text((defaults / "rules.yaml").read_text("utf-8"), "utf-8")
    roster = folder / "roster.yaml"
    _write(roster, {"advisors": [_advisor(number, _ALL if one_each else BUDGET) for number in range(advisors)]})
    return rules, roster


def _advisor(number: int, budget: int) -> dict[str, Any]:
    skills = {_TOPICS[(number + step) % len(_TOPICS)]: 6 + number % 4 for step in range(3)}
    return {
        "id": f"advisor-{number:04}",
        "name": f"Advisor {number}",
        "team": "north" if number % 2 else "south",
        "tier": ("junior", "senior", "lead")[number % 3],
        "languages": {"en": 10, "ko": number % 5},
        "skills": skills,
        "budget": budget,
    }


def _write(file: Path, document: dict[str, Any]) -> None:
    file.write_text(yaml.safe_dump(document, allow_unicode=True), "utf-8")
