"""The roster file: who answers, with skills, languages, queues and capacity.

    advisors:
      - id: minji
        name: Kim Minji
        email: minji@example.com
        contacts: {slack_app: U012AB3CD}   # where notices reach her, by notifier
        pool: default              # left out: the first pool of the settings
        team: seoul
        tier: senior
        languages: {ko: 10, en: 7}
        skills: {billing: 8}
        queues: [billing, general]     # left out: all queues
        secondary: [complaints]        # of these once a case has waited for their `secondary_after_s`
        budget: 100                    # capacity in units
        caps: {chat: 3}                # at most so many cases of a channel at once

Names of skills, queues, tiers and channels are the rulebook's; `rules.checking.lint` compares the two.
"""

from collections.abc import Iterator
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct
from msgspec.structs import replace

from rules.errors import Path, Place
from rules.exclusion import LAST_ADVISOR, AdvisorName
from rules.ladders import Language
from rules.membership import queue_of
from rules.naming import repeated
from rules.onboarding import Onboarding, onboarding_flaws
from rules.policies import Name
from rules.rulebook import Title
from rules.shape import Flaw

Email = Annotated[str, Meta(pattern=r"^[^@\s<>]{1,64}@[^@\s<>]{1,190}$", extra={"hint": "is no mail address"})]
Contact = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^\S+$", extra={"hint": "has blanks in it"})]
HIGHEST_LEVEL: Final = 10
Skill = Annotated[int, Meta(ge=0, le=HIGHEST_LEVEL)]


class AdvisorRow(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One advisor as written in the file. Level 0 in a skill or language is the same as not having it."""

    id: AdvisorName
    name: Title
    email: Email | None = None
    pool: Name | None = None
    team: Name | None = None
    tier: Name | None = None
    languages: dict[Language, Skill] = {}
    skills: dict[Name, Skill] = {}
    queues: tuple[Name, ...] | Literal["all"] = "all"
    secondary: tuple[Name, ...] = ()
    contacts: Annotated[dict[Name, Contact], Meta(max_length=20)] = {}
    budget: Annotated[int, Meta(ge=1, le=10_000)] = 100
    caps: dict[Name, Annotated[int, Meta(ge=0, le=1_000)]] = {}
    onboarding: Onboarding | None = None

    def at(self, now_ms: int) -> "AdvisorRow":
        """The row as it holds at that time: within the bounds of the week of his onboarding."""
        week = self.onboarding.week(now_ms) if self.onboarding else None
        if week is None:
            return self
        level = HIGHEST_LEVEL if week.level is None else week.level
        return replace(
            self,
            budget=min(self.budget, self.budget if week.budget is None else week.budget),
            skills={skill: min(has, level) for skill, has in self.skills.items()},
        )

    def serves(self, queue: str) -> bool:
        """Whether the advisor is a member of the queue; of the name for its secondary members, whether he is one."""
        of = queue_of(queue)
        return self.queues == "all" or (queue in self.queues if of is None else of in self.secondary)

    def has(self, skill: str, level: int) -> bool:
        """Whether the advisor has the skill at that level or above."""
        return self.skills.get(skill, 0) >= level


class RosterDocument(Struct, frozen=True, forbid_unknown_fields=True):
    """What a roster file holds."""

    advisors: Annotated[tuple[AdvisorRow, ...], Meta(max_length=50_000)]


class Roster(Struct, frozen=True, kw_only=True, eq=False):
    """A checked roster, advisors in the order of their ids. `places` tells where each is written."""

    advisors: tuple[AdvisorRow, ...]
    hash: str
    places: dict[Path, Place] = {}


def roster_flaws(document: RosterDocument) -> Iterator[Flaw]:
    """What only shows when all rows are seen: ids and mail addresses given twice; and days that aren't."""
    ids: set[str] = set()
    emails: set[str] = set()
    for index, row in enumerate(document.advisors):
        path: Path = ("advisors", index)
        if row.id == LAST_ADVISOR:
            yield Flaw((*path, "id"), f"`{row.id}` is reserved for what rules exclude")
        if row.id in ids:
            yield Flaw((*path, "id"), f"another advisor has the id `{row.id}` too")
        if row.email and row.email.lower() in emails:
            yield Flaw((*path, "email"), f"another advisor has the address `{row.email}` too")
        if row.onboarding is not None:
            yield from onboarding_flaws(row.onboarding, (*path, "onboarding"))
        yield from _secondary_flaws(row, (*path, "secondary"))
        ids.add(row.id)
        emails.add((row.email or "").lower())


def _secondary_flaws(row: AdvisorRow, path: Path) -> Iterator[Flaw]:
    if row.secondary and row.queues == "all":
        yield Flaw(path, "an advisor without `queues` serves all of them anyway: name his own")
    for at, name in enumerate(row.secondary):
        if name in row.queues:
            yield Flaw((*path, at), f"`{name}` is one of his `queues`")
    yield from repeated(row.secondary, path)
