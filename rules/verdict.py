"""What a rulebook says about one inquiry.

Verdicts travel on the wire, so fields unknown to this version are allowed in them.
"""

from msgspec import Struct

HIGHEST_PRIORITY = 1
LOWEST_PRIORITY = 5
DEFAULT_PRIORITY = 3


class Want(Struct, frozen=True):
    """A skill that the case needs, at least at `level` (1 to 10).

    One that isn't `hard` only helps the ranking.
    """

    skill: str
    level: int = 1
    hard: bool = True


class Reason(Struct, frozen=True):
    """One step of the judgement: `rule` decided the fields named in `set`.

    A rule that matched but came too late to decide anything is listed with no fields. Three reserved
    names are no rules of the rulebook: `queue` (the chosen queue's own settings), `language` (what the
    facts or the text say) and `defaults`.
    """

    rule: str
    set: tuple[str, ...] = ()


class Verdict(Struct, frozen=True, kw_only=True):
    """Where a case goes and what it needs.

    `priority` is 1 (highest) to 5 (lowest). `language` is a BCP 47 primary tag ("en", "ko") or None
    when unknown, never "und". `acknowledge` asks for one automatic acknowledgement. `rulebook` is the
    hash of the rulebook that said so. `language_level` is how well an advisor has to speak that language, 0 where no
    rule says it and the queue does. `exclude` names advisors who must not have the case; `last-advisor` is whoever
    has it, or had it last.
    """

    queue: str
    priority: int = DEFAULT_PRIORITY
    wants: tuple[Want, ...] = ()
    language: str | None = None
    policy: str
    ladder: str | None = None
    labels: tuple[str, ...] = ()
    acknowledge: bool = False
    reasons: tuple[Reason, ...] = ()
    rulebook: str
    exclude: tuple[str, ...] = ()
    language_level: int = 0
