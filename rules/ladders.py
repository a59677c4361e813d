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
      - {by_hand: true, move_up: true, reassign: take, note: true}
"""

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

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
    these, `languages`: speakers of these; with `any_language` whoever speaks what."""

    levels: dict[Name, Level] = {}
    drop: tuple[Name, ...] = ()
    queues: tuple[Name, ...] = ()
    tiers: tuple[Name, ...] = ()
    languages: tuple[Language, ...] = ()
    any_language: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether it leaves everything as it was."""
        return not (self.levels or self.drop or self.queues or self.tiers or self.languages or self.any_language)


NOTHING: Final = Easing()


class RelaxStep(Easing, frozen=True, kw_only=True):
    """A step of relaxation, due when the case has waited for `after_s` in the business time of its policy."""

    after_s: Wait


class Step(_Written, frozen=True, kw_only=True):
    """One step of a ladder, due at a share of a clock's target; `breach` is the share 1."""

    at: Annotated[float, Meta(gt=0, le=100)] | Literal["breach"] = "breach"
    clock: Clock = Clock.FIRST_RESPONSE
    raise_priority: Annotated[int, Meta(ge=0, le=LOWEST_PRIORITY - HIGHEST_PRIORITY)] = 0
    notify: ToldList = ()

    @property
    def share(self) -> float:
        """The share of the clock's target at which the step is due."""
        return 1.0 if self.at == "breach" else float(self.at)


class Ladder(_Written, frozen=True, kw_only=True):
    """Escalation steps, in the order they are climbed."""

    steps: Annotated[tuple[Step, ...], Meta(min_length=1, max_length=MAX_STEPS)]
