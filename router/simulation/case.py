"""A case: who writes when, who answers, for how long. What a file under ``cases/`` holds.

Times are seconds and hours since the simulated day begins. ``docs/supervisors.md`` explains each member by an example.
"""

from datetime import datetime
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from rules import ChannelWeight
from rules.ladders import Label, Language, Level
from rules.policies import Name
from rules.roster import Skill
from rules.rulebook import Priority, Title

MAX_HOURS: Final = 24 * 366

Hours = Annotated[float, Meta(ge=0, le=MAX_HOURS)]
Rate = Annotated[float, Meta(ge=0, le=10_000_000)]
Factor = Annotated[float, Meta(ge=0, le=1_000)]
Spread = Annotated[float, Meta(ge=0, le=10)]
Duration = Annotated[float, Meta(gt=0, le=31_622_400)]
Target = Annotated[int, Meta(ge=1, le=31_622_400)]
Text = Annotated[str, Meta(max_length=10_000)]


class _Part(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Base of what a case is made of."""


class Turn(_Part, frozen=True, kw_only=True):
    """From that hour on, so many inquiries an hour."""

    from_h: Hours
    per_hour: Rate


class Burst(_Part, frozen=True, kw_only=True):
    """For a while the traffic of some classes (left out: of all) is so many times what it is."""

    from_h: Hours
    minutes: Annotated[float, Meta(gt=0, le=MAX_HOURS * 60)]
    factor: Factor
    classes: tuple[Name, ...] = ()


class Handling(_Part, frozen=True, kw_only=True):
    """How long an advisor works on an inquiry: its mean, and the coefficient of variation. 1 is exponential, 0 always
    the same, anything else lognormal."""

    mean_s: Duration
    cv: Spread = 1.0


class Words(_Part, frozen=True, kw_only=True):
    """What the inquiries of a class say, for the rules of a real rulebook to judge."""

    subject: Text = ""
    text: Text = ""
    labels: tuple[Label, ...] = ()
    fields: dict[str, Text] = {}
    tags: tuple[Label, ...] = ()
    segment: Text = ""
    account: Text = "simulation"


class Traffic(_Part, frozen=True, kw_only=True):
    """One class of inquiries: they differ by chance only.

    ``per_hour`` is one rate for all the time, or several turns. ``patience_s`` is how long a customer waits on the
    average before he gives up (exponential); left out, he waits for ever. ``target_s`` is within what time somebody
    should take the inquiry up; with a real rulebook its policy's first response holds. ``skills``, ``priority`` and
    ``queue`` are what a verdict would say; a real rulebook says them from ``says``. Several classes may share a queue.
    """

    channel: Name
    per_hour: Rate | tuple[Turn, ...]
    handle: Handling
    patience_s: Duration | None = None
    target_s: Target | None = None
    language: Language | None = None
    skills: dict[Name, Level] = {}
    priority: Priority = 3
    queue: Name | None = None
    says: Words = Words()


class Shift(_Part, frozen=True, kw_only=True):
    """When somebody is online; at its end he finishes what he has."""

    from_h: Hours
    to_h: Hours


class Group(_Part, frozen=True, kw_only=True):
    """``count`` advisors alike, named after the group. ``secondary`` are queues of a real rulebook. ``slowdown`` is by
    what share each further case in hand makes work slower: with 0.2 and two others at hand, a case takes 1.4 times as
    long."""

    count: Annotated[int, Meta(ge=1, le=50_000)] = 1
    skills: dict[Name, Skill] = {}
    languages: dict[Language, Skill] = {}
    queues: tuple[Name, ...] | Literal["all"] = "all"
    secondary: tuple[Name, ...] = ()
    tier: Name | None = None
    budget: Annotated[int, Meta(ge=1, le=10_000)] = 100
    caps: dict[Name, Annotated[int, Meta(ge=0, le=1_000)]] = {}
    shift: Shift | None = None
    slowdown: Spread = 0.0


class Case(_Part, frozen=True, kw_only=True):
    """One case. Inquiries come for ``hours``; those of the first ``warm_up_h`` are not measured. ``busyness_cv`` is how
    much whole days differ: each replication's traffic is multiplied by one gamma-distributed factor of mean 1. Where a
    real rulebook lets offers ring, they are accepted after ``accept_s``; ``slowdown`` is that of a real roster's
    advisors. ``rings`` are the delays, in seconds, after
    which routing by skill rings opens the next ring."""

    title: Title
    about: Text = ""
    starts: datetime = datetime.fromisoformat("2026-03-02T00:00:00+00:00")
    hours: Annotated[float, Meta(gt=0, le=MAX_HOURS)] = 8.0
    warm_up_h: Hours = 0.0
    replications: Annotated[int, Meta(ge=1, le=10_000)] = 10
    seed: int = 1
    busyness_cv: Spread = 0.0
    bursts: tuple[Burst, ...] = ()
    channels: dict[Name, ChannelWeight] = {}
    classes: Annotated[dict[Name, Traffic], Meta(min_length=1)]
    advisors: dict[Name, Group] = {}
    accept_s: Annotated[float, Meta(ge=0, le=86_400)] = 0.0
    slowdown: Spread = 0.0
    rings: tuple[Duration, ...] = (20.0, 60.0)
