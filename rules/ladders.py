"""Ladders as they are written: what a waiting case asks less of as time goes, and what is done when one gets late.

queues:
  billing:
    relax:
      - {after_s: 40, levels: {billing: 3}}
      - {after_s: 120, drop: [billing], queues: [general]}
ladders:
  careful:
    steps:
      - {at: 0.8, raise_priority: 1, notify: [leads]}
      - {at: breach, move_up: true, reassign: take}
      - {match: {message: {words: [lawyer, 소비자원]}}, move_up: true, labels: [legal]}
      - {match: {message: {words: [somebody else, 다른 상담사]}}, exclude: [last-advisor]}
      - {by_hand: true, move_up: true, reassign: take, note: true}
"""

from enum import StrEnum
from typing import Annotated, Any, Final, Literal

from msgspec import Meta, Struct

from rules.exclusion import Excluded
from rules.notices import ToldList
from rules.policies import YEAR_S, Clock, Name
from rules.verdict import HIGHEST_PRIORITY, LOWEST_PRIORITY

Language = Annotated[
    str,
    Meta(
        pattern=r"^(?!und$)[a-z]{2,3}$",
        extra={"hint": 'is no primary language tag; write two or three small letters, such as "en"'},
    ),
]
Level = Annotated[int, Meta(ge=1, le=10)]
Label = Annotated[str, Meta(min_length=1, max_length=64)]
Wait = Annotated[int, Meta(ge=1, le=YEAR_S)]

MAX_STEPS: Final = 20


class _Written(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Base of what is written of ladders. Defaults are left out of the content, so a new field changes no hash."""


class Easing(_Written, frozen=True, kw_only=True):
    """What is asked less of the advisors who may have a case. `levels`: these skills are needed at no more than that.
    `drop`: these are preferred and no longer needed. `queues`: members of these may have it too, `tiers`: advisors of
    these, `languages`: speakers of these; with `any_language` whoever speaks what. `language_level`: the language, or
    one of these, is needed at no more than that."""

    levels: dict[Name, Level] = {}
    drop: tuple[Name, ...] = ()
    queues: tuple[Name, ...] = ()
    tiers: tuple[Name, ...] = ()
    languages: tuple[Language, ...] = ()
    any_language: bool = False
    language_level: Level | None = None

    @property
    def is_empty(self) -> bool:
        """Whether it leaves everything as it was."""
        widens = self.queues or self.tiers or self.languages or self.any_language
        return not (self.levels or self.drop or self.language_level or widens)


NOTHING: Final = Easing()


class RelaxStep(Easing, frozen=True, kw_only=True):
    """A step of relaxation, due when the case has waited for `after_s` in the business time of its policy."""

    after_s: Wait


class Trigger(StrEnum):
    """What a step waits for."""

    SHARE = "share"
    AFTER = "after"
    MISSED = "missed"
    MESSAGE = "message"
    BY_HAND = "by-hand"


class Reassign(StrEnum):
    """What becomes of the case's advisor: another gets the case, or another is asked in and he keeps it."""

    TAKE = "take"
    BESIDE = "beside"


class Step(_Written, frozen=True, kw_only=True):
    """One step of a ladder: when it comes, and what it does.

    It comes at a share of a clock's target (`at`; `breach` is the share 1, and what holds if nothing is said), when the
    clock has run for `after_s`, with the case's missed offer number `missed`, with a message of the customer that
    matches (`match`), or only by hand (`by_hand`). By hand every step may be taken, from its ladder's foot upwards.

    It raises the priority by so much, asks less of the advisors (`relax`), lets only advisors of the next tier above
    have the case (`move_up`), gives it to another (`reassign`), tells notice targets, adds labels, lets the case climb
    another ladder from then on, and keeps it from advisors for good (`exclude`), who lose it if they have it. With
    `note`, whoever takes it by hand has to write one for the next.
    """

    at: Annotated[float, Meta(gt=0, le=100)] | Literal["breach"] = "breach"
    clock: Clock = Clock.FIRST_RESPONSE
    after_s: Wait | None = None
    missed: Annotated[int, Meta(ge=1, le=100)] | None = None
    match: dict[str, Any] = {}
    by_hand: bool = False
    raise_priority: Annotated[int, Meta(ge=0, le=LOWEST_PRIORITY - HIGHEST_PRIORITY)] = 0
    relax: Easing | None = None
    move_up: bool = False
    reassign: Reassign | None = None
    notify: ToldList = ()
    labels: tuple[Label, ...] = ()
    ladder: Name | None = None
    exclude: Excluded = ()
    note: bool = False

    @property
    def share(self) -> float:
        """The share of the clock's target at which the step is due, if it waits for one."""
        return 1.0 if self.at == "breach" else float(self.at)

    @property
    def trigger(self) -> Trigger:
        """What it waits for."""
        given = self.triggers
        return given[0] if given else Trigger.SHARE

    @property
    def triggers(self) -> tuple[Trigger, ...]:
        """All that is written of when it comes: one, or none for the breach."""
        written = {
            Trigger.SHARE: self.at != "breach",
            Trigger.AFTER: self.after_s is not None,
            Trigger.MISSED: self.missed is not None,
            Trigger.MESSAGE: bool(self.match),
            Trigger.BY_HAND: self.by_hand,
        }
        return tuple(trigger for trigger, is_given in written.items() if is_given)

    @property
    def does_nothing(self) -> bool:
        """Whether the case would be as before, and nobody told."""
        changes = (self.raise_priority, self.relax, self.move_up, self.reassign, self.labels, self.ladder, self.exclude)
        return not any(changes) and not self.notify


class Ladder(_Written, frozen=True, kw_only=True):
    """Escalation steps, in the order they are climbed. `acknowledged`: whether they go on when somebody has said that
    he looks after the case, or stop until it is placed anew. `above`: who is told when a step moves up and no tier is
    left."""

    steps: Annotated[tuple[Step, ...], Meta(min_length=1, max_length=MAX_STEPS)]
    acknowledged: Literal["go-on", "stop"] = "go-on"
    above: ToldList = ()
