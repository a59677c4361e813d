"""What the customers' mail programs remember: addresses, and the threads they answer in."""

import hashlib
import re
from email.message import EmailMessage
from email.utils import parseaddr
from typing import Final, NamedTuple

DOMAIN: Final = "customers.example"
_UNFIT: Final = re.compile(r"[^a-z0-9]+")


class Standing(NamedTuple):
    """Where the next mail of a thread goes and what it refers to. ``quoted`` is what a program would quote."""

    to: str
    references: tuple[str, ...]
    subject: str
    quoted: str


class Threads:
    """All customers of one simulator. A customer's name that is a mail address is his address."""

    def __init__(self, mailbox: str) -> None:
        self._mailbox = mailbox
        self._customers: dict[str, str] = {}
        self._standing: dict[str, Standing] = {}
        self._thread_of: dict[str, str] = {}
        self.roots: dict[str, str] = {}
        """Of each Message-ID the first one of its thread."""

    def address(self, customer: str) -> str:
        """The customer's mail address; from then on he can be reached."""
        address = customer
        if "@" not in customer:
            readable = _UNFIT.sub("-", customer.lower()).strip("-")[:30]
            address = f"{readable or 'c'}.{hashlib.sha256(customer.encode()).hexdigest()[:8]}@{DOMAIN}"
        self._customers[address.lower()] = customer
        return address

    def customer(self, address: str) -> str:
        return self._customers.get(address.lower(), address)

    def addresses(self) -> frozenset[str]:
        return frozenset(self._customers)

    def standing(self, thread: str, subject: str) -> Standing:
        """Where the thread is; a new one begins at the mailbox."""
        return self._standing.get(thread) or Standing(self._mailbox, (), subject, "")

    def sent(self, thread: str, message_id: str) -> None:
        """A customer's own mail is part of the thread now."""
        self._extend(thread, message_id, self.standing(thread, "")._replace(quoted=""))

    def received(self, message: EmailMessage) -> str | None:
        """Put a mail of ours where a mail program would: the thread of the mail it answers, None for none."""
        thread = self._thread_of.get(str(message["In-Reply-To"] or "").strip())
        if thread is None:
            return None
        body = message.get_body(("plain",))
        standing = Standing(
            to=parseaddr(str(message["Reply-To"] or message["From"]))[1],
            references=self._standing[thread].references,
            subject=str(message["Subject"] or ""),
            quoted="" if body is None else str(body.get_content()),
        )
        self._extend(thread, str(message["Message-ID"]).strip(), standing)
        return thread

    def _extend(self, thread: str, message_id: str, standing: Standing) -> None:
        references = (*standing.references, message_id)
        self._standing[thread] = standing._replace(references=references)
        self._thread_of[message_id] = thread
        self.roots[message_id] = references[0]
