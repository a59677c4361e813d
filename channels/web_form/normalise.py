"""From a filled-in form to an inquiry. Pure."""

import re
from typing import Final, NamedTuple

from channels.kit.failures import Malformed
from channels.kit.text import clean, one_line
from channels.web_form.submission import Submission
from router.contract.ids import AccountId, InquiryId, PoolId, conversation_id, inquiry_id
from router.contract.messages import Address, Attachment, Customer, Inquiry

CHANNEL: Final = "web_form"
FORM: Final = "form"
"""The member of ``thread`` that names the conversation's first form, under which answers are kept."""

_MAIL: Final = re.compile(r"[^\s@<>()\[\],;:\\\"]{1,64}@[^\s@<>()\[\],;:\\\"]{1,200}")
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")


class Arrival(NamedTuple):
    """What the channel knows of a form beside its body. ``key`` names the submission, on a repeat too;
    ``form`` the conversation's first form if this one goes on from it; ``mail_account`` where answers go
    out from, if not under a link."""

    account: AccountId
    pool: PoolId
    received_at_ms: int
    key: str
    form: str | None = None
    mail_account: AccountId | None = None


def check(submission: Submission, *, needs_mail: bool) -> None:
    """Raises ``Malformed`` for a form that says nothing or can't be answered."""
    said = (submission.message, submission.subject, *submission.fields.values())
    if not (any(each.strip() for each in said) or submission.files):
        raise Malformed("The form is empty: message, subject, fields and files are missing.")
    if submission.email and not _MAIL.fullmatch(submission.email.strip()):
        raise Malformed("The form is not complete: email is no mail address.")
    if needs_mail and not submission.email:
        raise Malformed("The form is not complete: email is missing, and answers go there.")


def id_of(arrival: Arrival) -> InquiryId:
    """The inquiry's id: the same whenever the same submission is posted."""
    return inquiry_id(arrival.account, arrival.key)


def form_of(arrival: Arrival) -> str:
    """The conversation's first form."""
    return arrival.form or id_of(arrival)


def inquiry(submission: Submission, arrival: Arrival, attachments: tuple[Attachment, ...] = ()) -> Inquiry:
    """The inquiry that a checked form is. ``attachments`` are stored already."""
    form, mail = form_of(arrival), clean(submission.email.strip())
    language = submission.language.strip()
    return Inquiry(
        id=id_of(arrival),
        pool=arrival.pool,
        account=arrival.account,
        channel=CHANNEL,
        conversation=conversation_id(arrival.account, form),
        customer=Customer(id=mail.lower() or f"form {form}", name=one_line(submission.name)),
        reply_to=_reply_to(arrival, form, mail),
        received_at_ms=arrival.received_at_ms,
        text=clean(submission.message),
        subject=one_line(submission.subject),
        language=language if _LANGUAGE.fullmatch(language) else None,
        fields={one_line(name, 100): clean(value) for name, value in submission.fields.items() if value.strip()},
        attachments=attachments,
        thread={FORM: form},
    )


def _reply_to(arrival: Arrival, form: str, mail: str) -> Address:
    if arrival.mail_account is not None:
        return Address(account=arrival.mail_account, address=mail)
    return Address(account=arrival.account, address=form)
