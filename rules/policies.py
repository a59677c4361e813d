"""Policies as they are written: what is promised by when, and what starts, pauses and stops each clock.

policies:
  quick:
    first_response_s: 3600
    next_response_s: 3600
    resolution_s: 86400
    assignment_s: 600
    update_s: 14400
    third_party_s: 86400
    calendar: seoul
    warn: [0.5, 0.8, {before_s: 600}]
    clocks:
      resolution: {pause: [customer], calendar: night-shift}
      third_party: {elapsed: true, chase: {notify: [courier-desk], every_s: 86400}}
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Final, cast

from msgspec import Meta, Struct

from rules.notices import ToldList

YEAR_S: Final = 366 * 86_400
MAX_WARNINGS: Final = 8

Name = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
"""Names of queues, skills, policies and the like; safe as metric labels and in keys."""

Target = Annotated[int, Meta(ge=1, le=YEAR_S)]
Share = Annotated[float, Meta(gt=0, lt=1)]


class Clock(StrEnum):
    """The clocks a policy sets targets for."""

    FIRST_RESPONSE = "first_response"
    NEXT_RESPONSE = "next_response"
    RESOLUTION = "resolution"
    ASSIGNMENT = "assignment"
    UPDATE = "update"
    THIRD_PARTY = "third_party"


class PendingOn(StrEnum):
    """Whom a pending case waits for."""

    CUSTOMER = "customer"
    THIRD_PARTY = "third-party"
    INTERNAL = "internal"


class Cue(StrEnum):
    """What may start or stop a clock. ``OPENED`` to ``UNASSIGNED`` may be named in a policy.

    ``MESSAGE`` is the customer's while nobody owes him a first answer any more, ``REPLY`` a person's to him,
    ``AUTOMATIC_REPLY`` the acknowledgement; a case is ``ASSIGNED`` when somebody has accepted it or was given it, and
    ``UNASSIGNED`` when it goes back to a queue. ``PENDED``: it waits for a third party; ``BACK``: not any more.
    """

    OPENED = "opened"
    MESSAGE = "message"
    REPLY = "reply"
    AUTOMATIC_REPLY = "automatic-reply"
    ASSIGNED = "assigned"
    UNASSIGNED = "unassigned"
    PENDED = "pended"
    BACK = "back"
    RESOLVED = "resolved"


class _Written(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Base of what is written of a policy. Defaults are left out of the content, so a new field changes no hash."""


class Before(_Written, frozen=True, kw_only=True):
    """A warning so long before the target, in the clock's own time. A target that is shorter has no such warning."""

    before_s: Target


class Chase(_Written, frozen=True, kw_only=True):
    """Reminders to staff that a third party is late: the first at the target, then each `every_s` of the clock's own
    time, `most` in all. Without `every_s` there is one."""

    notify: Annotated[ToldList, Meta(min_length=1)]
    every_s: Target | None = None
    most: Annotated[int, Meta(ge=1, le=20)] = 5


class Starting(StrEnum):
    """The cues that a policy may let a clock start at."""

    OPENED = "opened"
    MESSAGE = "message"
    REPLY = "reply"
    ASSIGNED = "assigned"
    UNASSIGNED = "unassigned"


class Stopping(StrEnum):
    """The cues that a policy may let a clock stop at."""

    REPLY = "reply"
    AUTOMATIC_REPLY = "automatic-reply"
    ASSIGNED = "assigned"
    RESOLVED = "resolved"


class ClockOptions(_Written, frozen=True, kw_only=True):
    """How one clock differs from the others of its policy. What isn't said is as for every clock of its kind.

    `elapsed`: nights count. `pause`: for whom a pending case makes it stand still. `starts`, `stops`: at which cues;
    one that is in both ends the clock and starts it anew. `warn`: instead of the policy's warnings. `chase` is for
    `third_party` only.
    """

    calendar: Name | None = None
    elapsed: bool = False
    pause: tuple[PendingOn, ...] | None = None
    starts: Annotated[tuple[Starting, ...], Meta(min_length=1)] | None = None
    stops: Annotated[tuple[Stopping, ...], Meta(min_length=1)] | None = None
    warn: Annotated[tuple[Share | Before, ...], Meta(max_length=MAX_WARNINGS)] | None = None
    chase: Chase | None = None


class Policy(_Written, frozen=True, kw_only=True):
    """SLA targets, in the business time of `calendar` or, without one, in elapsed time. Clocks without a target don't
    run. `warn` lists shares of a target, or amounts of time before it, at which a warning is due; without it there is
    one at `warn_share`."""

    first_response_s: Target
    resolution_s: Target
    next_response_s: Target | None = None
    assignment_s: Target | None = None
    update_s: Target | None = None
    third_party_s: Target | None = None
    calendar: Name | None = None
    warn_share: Share = 0.8
    warn: Annotated[tuple[Share | Before, ...], Meta(max_length=MAX_WARNINGS)] | None = None
    clocks: dict[Clock, ClockOptions] = {}

    def target_s(self, clock: str) -> int | None:
        """What is promised for a clock; None when nothing is, or there is no such clock."""
        field = _FIELDS.get(clock)
        return getattr(self, field) if field else None

    @property
    def targets(self) -> Mapping[str, int]:
        """Clocks with their targets in seconds."""
        found = {clock: getattr(self, field) for clock, field in _FIELDS.items()}
        return {clock: target for clock, target in found.items() if target is not None}

    def options(self, clock: str) -> ClockOptions:
        """How a clock differs from the others."""
        return self.clocks.get(cast("Clock", clock), _PLAIN)  # members of a StrEnum are their texts

    def calendar_name(self, clock: str) -> str | None:
        """The calendar that a clock runs by; None is elapsed time."""
        own = self.options(clock)
        return None if own.elapsed else own.calendar or self.calendar

    def warnings(self, clock: str) -> tuple[float | Before, ...]:
        """When the clock warns, in the order written."""
        own = self.options(clock).warn
        if own is not None:
            return own
        return (self.warn_share,) if self.warn is None else self.warn


class Conduct(Struct, frozen=True):
    """What a kind of clock does unless the policy says otherwise."""

    starts: frozenset[str]
    stops: frozenset[str]
    pause: frozenset[str]


def _conduct(starts: tuple[Cue, ...], stops: tuple[Cue, ...], pause: tuple[PendingOn, ...]) -> Conduct:
    return Conduct(*(frozenset(map(str, names)) for names in (starts, stops, pause)))


_ALL: Final = tuple(PendingOn)
CONDUCT: Final[Mapping[str, Conduct]] = {
    Clock.FIRST_RESPONSE: _conduct((Cue.OPENED,), (Cue.REPLY,), _ALL),
    Clock.NEXT_RESPONSE: _conduct((Cue.MESSAGE,), (Cue.REPLY,), _ALL),
    Clock.RESOLUTION: _conduct((Cue.OPENED,), (Cue.RESOLVED,), _ALL),
    Clock.ASSIGNMENT: _conduct((Cue.OPENED, Cue.UNASSIGNED), (Cue.ASSIGNED,), ()),
    Clock.UPDATE: _conduct((Cue.REPLY,), (Cue.REPLY, Cue.RESOLVED), (PendingOn.CUSTOMER,)),
    Clock.THIRD_PARTY: _conduct((Cue.PENDED,), (Cue.BACK, Cue.RESOLVED), ()),
}
"""The table that docs/supervisors.md shows: a test holds the two together."""

_PLAIN: Final = ClockOptions()
_FIELDS: Final = {str(clock): f"{clock}_s" for clock in Clock}


def conduct_of(policy: Policy | None, clock: str) -> Conduct:
    """What a clock does: as its kind does, with what the policy says otherwise. One of a kind that this version doesn't
    know stands still while the case is pending, and nothing else starts or stops it."""
    kind = CONDUCT.get(clock, _UNKNOWN)
    own = policy.options(clock) if policy else _PLAIN
    return Conduct(
        kind.starts if own.starts is None else frozenset(map(str, own.starts)),
        kind.stops if own.stops is None else frozenset(map(str, own.stops)),
        kind.pause if own.pause is None else frozenset(map(str, own.pause)),
    )


_UNKNOWN: Final = _conduct((), (), _ALL)
