"""An advisor: profile (who he is), state (presence and work set), and the wire form of both."""

from enum import StrEnum
from typing import Final

import msgspec

from router.contract.ids import AdvisorId, PoolId

NO_QUEUE: Final = "-"
"""What who serves no queue is a member of: a profile without any serves all. No queue is called so."""


class Presence(StrEnum):
    """``FINISHING`` keeps the work at hand and gets none; only ``ONLINE`` gets work."""

    ONLINE = "online"
    AWAY = "away"
    FINISHING = "finishing"
    OFFLINE = "offline"


class WorkKind(StrEnum):
    """Why a case is in a work set. All but ``PARKED`` take up capacity. ``CONSULT_OFFER``: he is rung for advice."""

    OFFER = "offer"
    CASE = "case"
    CONSULT_OFFER = "consult-offer"
    CONSULT = "consult"
    WRAP_UP = "wrap-up"
    PARKED = "parked"


class Work(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One entry of a work set."""

    units: int
    channel: str
    kind: WorkKind

    @property
    def load(self) -> int:
        """What it takes of the budget."""
        return 0 if self.kind is WorkKind.PARKED else self.units

    def may_be_parked(self, channels: frozenset[str]) -> bool:
        """Whether it is at hand and of one of these channels."""
        return self.kind is WorkKind.CASE and self.channel in channels


class Profile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who an advisor is: a roster row. He is a member of ``queues`` (none: of all), and of ``secondary`` once a case
    has waited there for a while. ``skills`` and ``languages`` map a name to a level from 0 to 10; ``caps`` limits the
    cases of a channel. ``contact`` (a mail address) and ``contacts`` (by notifier, such as a member's id at Slack)
    are for notices only."""

    name: str = ""
    team: str = ""
    tier: str = "junior"
    skills: dict[str, int] = {}
    languages: dict[str, int] = {}
    queues: tuple[str, ...] = ()
    budget: int = 100
    caps: dict[str, int] = {}
    contact: str = ""
    contacts: dict[str, str] = {}
    active: bool = True
    secondary: tuple[str, ...] = ()


class AdvisorState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """An advisor as the state store holds him.

    ``ver`` counts every change, ``elig`` only those of presence and profile: a candidate names the second,
    so a change of load alone doesn't refuse him. While online he is there for all channels but those of
    ``away_from``. ``work`` maps a case to its entry; the load is the sum of its units. ``idle_since_ms`` is when work
    last came or went, or he came online. ``timers`` maps ``kind|n`` to its deadline; each open connection has a
    ``lease|<number>``. ``profile`` is ``Profile`` as JSON text.
    """

    id: AdvisorId
    ver: int = 0
    elig: int = 0
    gen: int = 0
    presence: Presence = Presence.OFFLINE
    reason: str = ""
    budget: int = 100
    caps: dict[str, int] = {}
    idle_since_ms: int = 0
    online_since_ms: int = 0
    missed: int = 0
    work: dict[str, Work] = {}
    timers: dict[str, int] = {}
    profile: str = "{}"
    away_from: tuple[str, ...] = ()

    @property
    def connections(self) -> tuple[int, ...]:
        """The numbers of his open connections."""
        return tuple(sorted(int(timer[6:]) for timer in self.timers if timer.startswith("lease|")))

    @property
    def load(self) -> int:
        return sum(item.load for item in self.work.values())

    def is_there_for(self, channel: str) -> bool:
        """Whether he is online, and takes what comes by that channel."""
        return self.presence is Presence.ONLINE and channel not in self.away_from

    def wrap_up_until(self, case: str) -> int | None:
        """When his wrap-up of a case ends; None when he wraps nothing up of it."""
        return self.timers.get(f"wrap_up|{case}")

    def parked_until(self, case: str) -> int | None:
        """Until when he has parked a case by hand; None for one that comes back as soon as he has room, or isn't
        parked."""
        return self.timers.get(f"park|{case}")

    def has_room(self, units: int, channel: str, *, besides: str = "", parking: frozenset[str] = frozenset()) -> bool:
        """Whether a case of that weight fits into the budget and the channel's cap; ``besides`` names a case
        whose present entry would be replaced, ``parking`` channels whose cases at hand would be parked."""
        taken, of_channel = units, 0
        for case, item in self.work.items():
            if case != besides and item.kind is not WorkKind.PARKED and not item.may_be_parked(parking):
                taken += item.units
                of_channel += item.channel == channel
        cap = self.caps.get(channel)
        return taken <= self.budget and (cap is None or of_channel < cap)


class Advisor(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The wire form, on the advisors topic: profile and presence, without the work set."""

    id: AdvisorId
    pool: PoolId
    gen: int
    ver: int
    elig: int
    at_ms: int
    presence: Presence
    profile: Profile
    reason: str = ""
    idle_since_ms: int = 0
    number: int = 0
    away_from: tuple[str, ...] = ()


_PROFILE = msgspec.json.Decoder(Profile)
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ENCODER = msgspec.json.Encoder()


def read_profile(profile: str) -> Profile:
    """The profile that JSON text holds; raises ``msgspec.ValidationError`` when it is malformed."""
    return _PROFILE.decode(profile)


def write_profile(known: Profile, *, before: str = "{}") -> str:
    """``known`` as JSON text over what ``before`` held, so members that a newer version wrote survive; ``before``
    to the letter when it says the same."""
    foreign = _MEMBERS.decode(before)
    for name in Profile.__struct_fields__:
        foreign.pop(name, None)
    written = _ENCODER.encode(known)
    if not foreign:
        return written.decode()
    if read_profile(before) == known:
        return before
    return _ENCODER.encode(foreign | _MEMBERS.decode(written)).decode()
