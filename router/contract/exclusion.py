"""Who must not have a case, as the case remembers it: by whose word, when and why."""

from typing import Final

import msgspec

KEPT_EXCLUSIONS: Final = 30
MOST_EXCLUDED: Final = 64
"""So many advisors can be excluded from one case at once: they stand in the key of the line it waits in."""
MOST_BY_PEOPLE: Final = 32
"""Where there are so many, people can exclude no more: there is room for all that rules may say."""


class Exclusion(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """From then on the advisor must not have the case, or (``lifted``) may have it again. ``by`` is an advisor's or a
    key's id; where it is empty, ``rules`` names those of the rulebook that said so, or the step of the ladder did."""

    advisor: str
    at_ms: int
    by: str = ""
    reason: str = ""
    rules: tuple[str, ...] = ()
    lifted: bool = False
