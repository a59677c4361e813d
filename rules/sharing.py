"""Target shares between queues, for advisors who serve several.

shares:
  queues: {chat: 2, mail: 1}
  late: 2
"""

from collections.abc import Iterable, Iterator
from typing import Annotated

from msgspec import Meta, Struct

from rules.naming import key_reference
from rules.policies import Name
from rules.shape import Flaw

Share = Annotated[float, Meta(gt=0, le=1000)]


class Shares(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """How what waits is to be spread over `queues`: only the ratios of the shares matter. Who may have cases of
    several of them gets one of the queue that is most over its share; a case that has used up its target `late` times
    goes before that, when it is the most urgent."""

    queues: dict[Name, Share]
    late: Annotated[float, Meta(ge=1, le=100)] = 2.0


def share_flaws(shares: Shares | None, queues: Iterable[str]) -> Iterator[Flaw]:
    """Shares of queues that aren't there, and shares with nobody to share with."""
    if shares is None:
        return
    yield from key_reference(shares.queues, queues, "queue", ("shares", "queues"))
    if len(shares.queues) < 2:
        yield Flaw(("shares", "queues"), "there is nothing to share: name two queues or more")
