"""From an inquiry to what the rules may look at."""

from router.contract.messages import Inquiry
from rules import CustomerFacts, Facts


def facts_of(inquiry: Inquiry, *, reopened: int = 0) -> Facts:
    """The facts of one inquiry. ``reopened`` counts how often its case was reopened, by this one too."""
    customer = inquiry.customer
    return Facts(
        channel=inquiry.channel,
        account=inquiry.account,
        subject=inquiry.subject,
        text=inquiry.text,
        language=inquiry.language,
        customer=CustomerFacts(id=customer.id or None, tags=customer.tags, segment=customer.segment or None),
        labels=inquiry.labels,
        fields=inquiry.fields,
        attachments=len(inquiry.attachments),
        reopened=reopened,
    )
