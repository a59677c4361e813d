"""What work costs an advisor: units of his budget, time afterwards, and what gives way to what.

channels:
  voice: {units: 100, wrap_up_s: 30, wrap_up_more_s: 60, interrupts: true}
  email: {units: 10, interruptible: true, when_gone: stays}
labels:
  refund: {units: 25}
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Final

from msgspec import Meta, Struct

from rules.shape import Flaw

Units = Annotated[int, Meta(ge=1, le=1000)]
WrapUp = Annotated[int, Meta(ge=0, le=3600)]


class WhenGone(StrEnum):
    """What becomes of a case whose advisor has gone: it waits for him, or goes back to its queue, where ``team`` keeps
    it for his team for a while."""

    STAYS = "stays"
    REQUEUE = "requeue"
    TEAM = "team"


class ChannelWeight(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a case of a channel costs an advisor: `units` of his budget, which stay taken for `wrap_up_s` after he has
    resolved it. He may end that early, and ask for `wrap_up_more_s` at a time (0: for nothing), up to `wrap_up_most_s`
    in all. `interruptible` work is
    parked when nobody has room for a case of a channel that `interrupts`, and taken up again when there is room. With
    `over_when_back` a pending case that comes back to its owner is his at once, even above his capacity. `when_gone` is
    what becomes of it when he doesn't come back; without it, what is `interruptible` stays, and the rest is requeued.
    """

    units: Units = 10
    wrap_up_s: WrapUp = 0
    wrap_up_more_s: WrapUp = 0
    wrap_up_most_s: Annotated[int, Meta(ge=0, le=28_800)] = 3_600
    interruptible: bool = False
    interrupts: bool = False
    over_when_back: bool = False
    when_gone: WhenGone | None = None

    @property
    def fate(self) -> WhenGone:
        """What becomes of a case whose advisor has gone."""
        return self.when_gone or (WhenGone.STAYS if self.interruptible else WhenGone.REQUEUE)


class LabelWeight(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a case with a label costs instead of its channel's units; of several labels the greatest counts."""

    units: Units


def weight_flaws(channels: Mapping[str, ChannelWeight]) -> Iterator[Flaw]:
    """Wrap-ups that may not last as long as they do."""
    for name, weight in channels.items():
        if weight.wrap_up_most_s < weight.wrap_up_s:
            message = f"is less than `wrap_up_s`, which is {weight.wrap_up_s}"
            yield Flaw(("channels", name, "wrap_up_most_s"), message)


DEFAULT_WEIGHT: Final = ChannelWeight()
"""That of a channel which the rulebook doesn't name."""
