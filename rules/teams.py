"""Who answers for a case when nobody has it, and when nobody is to be told, as it is written:

teams:
  seoul:
    leads:
      - {advisor: minji, calendar: days}
      - {advisor: jun}                      # whenever nobody before him is on shift
supervisors:
  - {advisor: hana}
quiet:
  shift-lead: {calendar: office, urgent: 1}
"""

from typing import Annotated

from msgspec import Meta, Struct

from rules.policies import Name
from rules.verdict import HIGHEST_PRIORITY, LOWEST_PRIORITY


class _Written(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Base of what is written of notices."""


class Duty(_Written, frozen=True, kw_only=True):
    """An advisor who leads or supervises while `calendar` is open; without one, always."""

    advisor: Name
    calendar: Name | None = None


Duties = Annotated[tuple[Duty, ...], Meta(max_length=100)]


class Team(_Written, frozen=True, kw_only=True):
    """A team of the roster. The first of its `leads` who is on shift is its lead."""

    leads: Annotated[Duties, Meta(min_length=1)]


class Quiet(_Written, frozen=True, kw_only=True):
    """A target is told nothing while `calendar` is closed; what comes is held until it opens. Cases of priority
    `urgent` or higher (a smaller number) pass; 0 lets none pass."""

    calendar: Name
    urgent: Annotated[int, Meta(ge=0, le=LOWEST_PRIORITY)] = HIGHEST_PRIORITY
