"""What the notifiers share that post a card to a team's channel: options, sending, the link to the case."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Final, NamedTuple
from urllib.parse import quote
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from channels.kit.outbound import checked_url
from channels.kit.posting import Letterbox, post
from channels.notify.headlines import Language
from channels.notify.wording import Naming, Words, words
from router.contract.ids import AdvisorId, CaseId
from router.runtime.notifiers import Bulletin, NotifierHost, OpenNotifier, Target
from router.runtime.plugins import SendResult, failed
from router.runtime.secret import Secret

_OPEN: Final[dict[Language, str]] = {"en": "Open the case", "ko": "케이스 열기"}
_ENCODER: Final = msgspec.json.Encoder()


class Reader(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every target says of those who read it. ``case_url``: where staff open a case, with ``{case}`` in it;
    without it nothing leads there. ``time_zone``: whose clock due times are shown by."""

    language: Language = "en"
    time_zone: str = "UTC"
    case_url: Annotated[str, Meta(max_length=1_000)] = ""

    def __post_init__(self) -> None:
        try:
            ZoneInfo(self.time_zone)
        except (KeyError, ValueError, OSError):
            raise ValueError(f'"{self.time_zone}" is no time zone; write one such as "Asia/Seoul"') from None
        if self.case_url and "{case}" not in self.case_url:
            raise ValueError("case_url needs {case} where the case's id goes")

    def words(self, bulletin: Bulletin, naming: Naming) -> Words:
        """What they are told, in their language."""
        return words(bulletin, self.language, ZoneInfo(self.time_zone), naming=naming)

    def links(self) -> "Links":
        """Where cases are opened."""
        return Links(self.case_url, self.language)


class CardOptions(Reader, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``url``: the address that the product made for the channel; whoever has it may post there, so it is a secret.
    ``allow_private`` as in the notifier ``webhook``."""

    url: Secret
    allow_private: bool = False
    timeout_s: Annotated[float, Meta(gt=0, le=14)] = 10.0

    def __post_init__(self) -> None:
        super().__post_init__()
        checked_url(self.url.reveal(), allow_private=self.allow_private)


def names_of(host: NotifierHost) -> Naming:
    """By the names of the roster; somebody who isn't in it any more by his id."""

    def name(advisor: AdvisorId) -> str:
        member = host.member(advisor)
        return (member.name if member else "") or advisor

    return name


class Links(NamedTuple):
    """Where staff open a case, if anywhere, and what the button for it says."""

    case_url: str
    language: Language

    def to(self, case: CaseId) -> str | None:
        """The address of a case; None without ``case_url``."""
        return self.case_url.replace("{case}", quote(case, safe="")) if self.case_url else None

    @property
    def label(self) -> str:
        return _OPEN[self.language]


Draw = Callable[[Bulletin, Words, Links], Mapping[str, object]]
"""The product's own form of a card: from what is told, and its words, to the body."""


class CardNotifier:
    """A notifier for one product, before it works for any target."""

    def __init__(self, name: str, product: str, draw: Draw) -> None:
        self.name = name
        self._product = product
        self._draw = draw

    def options_type(self) -> type[CardOptions]:
        return CardOptions

    async def open(self, targets: Sequence[Target[CardOptions]], host: NotifierHost) -> OpenNotifier:
        return OpenCardNotifier({target.id: target.options for target in targets}, host, self._product, self._draw)


class OpenCardNotifier:
    """The notifier at work. It holds nothing between two notices. These products know no repeats: after a crash in the
    middle of a post the same card may stand there twice."""

    def __init__(self, targets: Mapping[str, CardOptions], host: NotifierHost, product: str, draw: Draw) -> None:
        self._targets = targets
        self._host = host
        self._product = product
        self._draw = draw

    async def send(self, bulletin: Bulletin) -> SendResult:
        """As ``post``; a target that isn't there is failed."""
        options = self._targets.get(bulletin.target)
        if options is None:
            return failed("there is no such target")
        body = _ENCODER.encode(self._draw(bulletin, options.words(bulletin, names_of(self._host)), options.links()))
        url = options.url.reveal()
        box = Letterbox(url, options.timeout_s, options.allow_private, self._product, "the target's url")
        return await post(box, body, {}, self._host)

    async def close(self, within_s: float) -> None:
        """Nothing is held."""
