"""Whom a rule keeps away from a case, as it is written.

rules:
  - name: complaint
    match: {message: {words: [complaint, 불만]}}
    set: {exclude: [last-advisor, minji]}
"""

from collections.abc import Iterable, Iterator
from typing import Annotated, Final

from msgspec import Meta

from rules.shape import Flaw

AdvisorName = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
LAST_ADVISOR: Final = "last-advisor"
"""Stands for whoever has the case, or had it last; no advisor is called so."""
MOST_EXCLUDED: Final = 32
"""So many one case can be kept from by rules, however many of them continue."""

Excluded = Annotated[tuple[AdvisorName, ...], Meta(max_length=MOST_EXCLUDED)]


def exclusion_flaws(rules: Iterable[tuple[tuple[str, ...], bool]]) -> Iterator[Flaw]:
    """A flaw where rules could keep a case from too many. Each rule is whom it excludes, and whether it continues."""
    carried: set[str] = set()
    for index, (names, continues) in enumerate(rules):
        together = {*carried, *names}
        if names and len(together) > MOST_EXCLUDED:
            message = (
                f"with the rules before it that continue it excludes {len(together)}; at most {MOST_EXCLUDED} may be"
            )
            yield Flaw(("rules", index, "set", "exclude"), message)
        if continues:
            carried = together
