"""What work costs an advisor: units of his budget, time afterwards, and what gives way to what.

channels:
  voice: {units: 100, wrap_up_s: 30, wrap_up_more_s: 60}
  email: {units: 10, interruptible: true}
"""

from typing import Annotated, Final

from msgspec import Meta, Struct

Units = Annotated[int, Meta(ge=1, le=1000)]
WrapUp = Annotated[int, Meta(ge=0, le=3600)]


class ChannelWeight(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a case of a channel costs an advisor: `units` of his budget, which stay taken for `wrap_up_s` after he has
    resolved it. He may end that early, and ask for `wrap_up_more_s` at a time (0: for nothing)."""

    units: Units = 10
    wrap_up_s: WrapUp = 0
    wrap_up_more_s: WrapUp = 0
    interruptible: bool = False


DEFAULT_WEIGHT: Final = ChannelWeight()
"""That of a channel which the rulebook doesn't name."""
