"""What a notifier is, to the process that runs it: a way to tell staff.

It turns bulletins into messages of its product, and may be called back by that product's buttons. Like an adapter
(``plugins``) it decides nothing and keeps no state of its own.
"""

from collections.abc import Sequence
from typing import Final, Generic, Protocol, runtime_checkable

import msgspec
from aiohttp import web

from router.contract.ids import AdvisorId, NoticeId, PoolId, bulletin_id
from router.contract.messages import Notice
from router.runtime.plugins import Host, Options, SendResult

CALLED_BACK_AT: Final = "notify"
"""Where notifiers are called back, on the port of the channels, where each adapter has the path of its name."""


class Bulletin(msgspec.Struct, frozen=True, kw_only=True):
    """What one target is told in one message: a notice, or several that came close together, oldest first.

    ``id`` follows from those of the notices, so a repeat of the same has the same. All are for the same ``staff``;
    nobody in particular when it is empty. ``again``: it may have arrived before, for all that is known; where the
    product knows no repeats, say so in the message.
    """

    id: NoticeId
    target: str
    staff: tuple[AdvisorId, ...]
    notices: tuple[Notice, ...]
    again: bool = False

    @property
    def first(self) -> Notice:
        return self.notices[0]


def bulletin(notices: Sequence[Notice], *, again: bool = False) -> Bulletin:
    """The message that tells of these notices, at least one, all for one target and staff."""
    ordered = tuple(sorted(notices, key=lambda notice: (notice.at_ms, notice.id)))
    first = ordered[0]
    made = bulletin_id(notice.id for notice in ordered)
    return Bulletin(id=made, target=first.target, staff=first.staff, notices=ordered, again=again)


class StaffMember(msgspec.Struct, frozen=True, kw_only=True):
    """What a notifier may know of an advisor. ``address`` is his in the notifier's own form, empty for none."""

    id: AdvisorId
    pool: PoolId
    name: str
    address: str


class NotifierHost(Host, Protocol):
    """What the process gives a notifier."""

    @property
    def base_url(self) -> str:
        """The notifier's place on the shared HTTP port as its product sees it, without a slash at the end."""

    def member(self, advisor: AdvisorId) -> StaffMember | None:
        """Who that is; None for somebody unknown or not active."""

    def whose(self, address: str) -> StaffMember | None:
        """Whose address at this notifier's product it is; None if it is nobody's, or that of several."""


class OpenNotifier(Protocol):
    """A notifier at work."""

    async def send(self, bulletin: Bulletin) -> SendResult:
        """Tell its target, in one message. May be repeated with the same id; raises ``SendLater``."""

    async def close(self, within_s: float) -> None: ...


@runtime_checkable
class AskedNotifier(Protocol):
    """A notifier that is called back: its messages have buttons."""

    async def asked(self, request: web.Request) -> web.StreamResponse:
        """Answer what was posted to ``base_url``, or below it. It bounds its input itself and never raises for bad
        input."""


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How often a target is told. A message is held until nothing has come to it for ``group_s``, at most for
    ``group_most_s`` after its first notice; no more than ``per_minute`` go out, and what comes meanwhile joins them."""

    group_s: float = 0.0
    group_most_s: float = 60.0
    per_minute: float = 6_000.0


class Target(msgspec.Struct, Generic[Options], frozen=True, kw_only=True):
    """One place for notices, its options checked against the notifier's type."""

    id: str
    options: Options
    pace: Pace = Pace()


class Notifier(Protocol[Options]):
    """A way to tell staff. Made by its entry point's factory, without arguments and without any I/O."""

    @property
    def name(self) -> str: ...

    def options_type(self) -> type[Options]: ...

    async def open(self, targets: Sequence[Target[Options]], host: NotifierHost) -> OpenNotifier:
        """Start working for these targets. Raises ``PluginFailed``."""
