"""What a rulebook may look at: the facts of one inquiry.

The router fills these in; nothing here knows where they came from. Text need not be normalised:
conditions compare in NFC and without regard to case.
"""

from msgspec import Struct


class CustomerFacts(Struct, frozen=True, kw_only=True):
    """Who writes, as far as it is known; everything is empty for a stranger."""

    id: str | None = None
    tags: tuple[str, ...] = ()
    segment: str | None = None


class Facts(Struct, frozen=True, kw_only=True):
    """One inquiry as the rules see it.

    `language` is a BCP 47 tag if something upstream (the customer's profile, the widget) knows it;
    without one `judge` looks at the text. `labels` were set upstream, `fields` are those of a web form
    or the like, `reopened` counts how often the case has been reopened, this message included.
    """

    channel: str
    account: str
    subject: str = ""
    text: str = ""
    language: str | None = None
    customer: CustomerFacts = CustomerFacts()
    labels: tuple[str, ...] = ()
    fields: dict[str, str] = {}
    attachments: int = 0
    reopened: int = 0
