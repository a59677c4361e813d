"""The notifier ``email``: notices as plain mails, to the advisors that they are for or to addresses of the settings.

A mail is the same bytes whenever it is sent again, with the same Message-ID, so that the receiver drops the second. It
says of itself that a machine wrote it (RFC 3834), and nothing comes back to it.
"""

from collections.abc import Mapping, Sequence
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate
from typing import Annotated, Final

from msgspec import Meta

from channels.kit.mail_relay import Outgoing, Relay, RelayClient
from channels.notify.cards import Links, Reader, names_of
from channels.notify.headlines import Language
from channels.notify.wording import Naming, Words
from router.runtime.notifiers import Bulletin, Notifier, NotifierHost, OpenNotifier, Target
from router.runtime.plugins import SendResult, failed, sent

NAME: Final = "email"
_MAX_SUBJECT: Final = 200
_FOOT: Final[dict[Language, str]] = {
    "en": "Turnout sent this by itself. Nobody reads answers to it.",
    "ko": "Turnout에서 자동으로 보낸 메일입니다. 회신은 확인하지 않습니다.",
}
MailAddress = Annotated[str, Meta(pattern=r"^[^@\s<>,]{1,64}@[A-Za-z0-9][A-Za-z0-9.-]{0,180}$")]


class MailOptions(Reader, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``address`` is the sender's, ``to`` who reads the target when a notice is for nobody in particular, or for
    somebody whose address isn't known; without it such a notice fails. ``relay`` as in the channel ``email``."""

    address: MailAddress
    relay: Relay
    display_name: Annotated[str, Meta(max_length=100)] = "Turnout"
    to: Annotated[tuple[MailAddress, ...], Meta(max_length=20)] = ()

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2].lower()


def compose(told: Bulletin, recipient: str, options: MailOptions, naming: Naming = str) -> Outgoing:
    """The mail for one of the readers. Raises ``ValueError`` for an address that is none."""
    said = options.words(told, naming)
    own_id = f"<{told.id}@{options.domain}>"
    mail = EmailMessage(policy=SMTP)
    name, _, domain = options.address.rpartition("@")
    mail["From"] = Address(options.display_name, name, domain)
    local, _, domain = recipient.rpartition("@")
    mail["To"] = Address("", local, domain)
    mail["Subject"] = _subject(said, told, options.language)
    mail["Date"] = formatdate(told.first.at_ms / 1000)
    mail["Message-ID"] = own_id
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail.set_content(_text(said, told, options.links()) + f"\n-- \n{_FOOT[options.language]}\n", cte="base64")
    return Outgoing(own_id, "", recipient, mail.as_bytes())


def _subject(said: Words, told: Bulletin, language: Language) -> str:
    queue = f" \N{EM DASH} {told.first.queue}" if len(told.notices) == 1 and told.first.queue else ""
    return " ".join(f"{said.title}{queue}".split())[:_MAX_SUBJECT]


def _text(said: Words, told: Bulletin, links: Links) -> str:
    lines = [said.title, ""]
    if said.lines:
        for line in said.lines:
            url = links.to(line.case)
            lines += [f"* {line.text}", *([f"  {url}"] if url else [])]
        lines += [said.more] if said.more else []
    else:
        lines += [f"{label}: {value}" for label, value in said.facts]
        if (url := links.to(told.first.case)) is not None:
            lines += ["", f"{links.label}: {url}"]
    return "\n".join(lines) + "\n"


class MailNotifier:
    """The notifier, before it works for any target."""

    name = NAME

    def options_type(self) -> type[MailOptions]:
        return MailOptions

    async def open(self, targets: Sequence[Target[MailOptions]], host: NotifierHost) -> OpenNotifier:
        return OpenMailNotifier({target.id: target.options for target in targets}, host)


class OpenMailNotifier:
    """The notifier at work. It holds nothing between two notices."""

    def __init__(self, targets: Mapping[str, MailOptions], host: NotifierHost) -> None:
        self._targets = targets
        self._relays = {id_: RelayClient(options.relay) for id_, options in targets.items()}
        self._host = host

    async def send(self, bulletin: Bulletin) -> SendResult:
        """One mail for each reader. Raises ``SendLater`` for what may pass; those who have theirs by then get it again
        with the same Message-ID. Failed if nobody has an address, or none of them took it."""
        options = self._targets.get(bulletin.target)
        if options is None:
            return failed("there is no such target")
        readers = self._readers(bulletin, options)
        if not readers:
            return failed("nobody whom it is for has a mail address in the roster, and the target has no `to`")
        refused, naming = None, names_of(self._host)
        taken = 0
        for reader in readers:
            try:
                result = await self._relays[bulletin.target].send(compose(bulletin, reader, options, naming))
            except ValueError:
                result = failed("the address is no mail address")
            if result.provider_message_id is None:
                refused = refused or result
            else:
                taken += 1
        return sent(f"<{bulletin.id}@{options.domain}>") if taken or refused is None else refused

    def _readers(self, bulletin: Bulletin, options: MailOptions) -> tuple[str, ...]:
        members = [self._host.member(advisor) for advisor in bulletin.staff]
        own = tuple(member.address for member in members if member is not None and member.address)
        return own or options.to

    async def close(self, within_s: float) -> None:
        """Nothing is held."""


def notifier() -> Notifier[MailOptions]:
    """The entry point's factory."""
    return MailNotifier()
