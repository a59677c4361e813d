"""Steps of a ladder as a case remembers them: who took each, when and why."""

from typing import Final

import msgspec

LOWERED: Final = "lowered"
HANDED: Final = "handed"
KEPT_CLIMBS: Final = 30
KEPT_REASON_BYTES: Final = 200
"""A case's post-state is bounded: so much of a reason is kept with it, all of it with the event."""


class Climb(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One step that was taken; or (``trigger`` ``lowered``) a person's lowering of the case to ``step``; or
    (``handed``) that a person handed on a case which its ladder had moved up: it is for the ``tier`` he named, if any.

    ``step`` is the case's, which counts on when it changes its ladder; ``rung`` the place on ``ladder``, from 1.
    ``trigger`` is what it came for; ``by`` an advisor's or a key's id, empty for the router itself. ``owner`` had the
    case then. What the step did stands in the rulebook but for this: by how much it ``raised`` the priority, the
    ``tier`` that it moved the case up to, and the ladder that the case climbs since (``sets``).
    """

    step: int
    at_ms: int
    trigger: str
    ladder: str = ""
    rung: int = 0
    by: str = ""
    reason: str = ""
    owner: str = ""
    raised: int = 0
    tier: str = ""
    sets: str = ""
