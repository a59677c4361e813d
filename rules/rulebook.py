"""One immutable version of all rules: queues, channels, policies, ladders, outcomes and the rules.

`Rulebook` is what `load` returns. Two rulebooks with the same content have the same `hash`, whatever
files, order of keys or layout they were written in.
"""

import hashlib
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct

from rules.calendar import Calendar
from rules.capacity import DEFAULT_WEIGHT, ChannelWeight, LabelWeight, Units
from rules.conditions.view import View
from rules.errors import Path, Place
from rules.exclusion import Excluded
from rules.icalendar.closures import Closing
from rules.ladders import MAX_STEPS, Label, Ladder, Language, Level, RelaxStep, Wait
from rules.notices import ToldList
from rules.opening_hours import CalendarSpec
from rules.policies import YEAR_S, Name, Policy
from rules.sharing import Shares
from rules.teams import Duties, Quiet, Team
from rules.verdict import DEFAULT_PRIORITY, HIGHEST_PRIORITY, LOWEST_PRIORITY

Title = Annotated[str, Meta(min_length=1, max_length=200)]
Priority = Annotated[int, Meta(ge=HIGHEST_PRIORITY, le=LOWEST_PRIORITY)]
Seconds = Annotated[int, Meta(ge=0, le=YEAR_S)]
Weight = Annotated[float, Meta(ge=0, le=100)]
Acknowledgement = Annotated[str, Meta(min_length=1, max_length=4_000)]


class Strategy(StrEnum):
    """How a queue ranks the advisors who may take a case."""

    LONGEST_IDLE = "longest-idle"
    LEAST_LOADED = "least-loaded"
    ROUND_ROBIN = "round-robin"
    MOST_SKILLED = "most-skilled"
    LEAST_SKILLED = "least-skilled"
    BALANCED = "balanced"


class QueueOrder(StrEnum):
    """Which of a queue's cases goes first."""

    URGENCY = "urgency"
    FIFO = "fifo"
    PRIORITY = "priority"


class _Rules(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Base of all rule data. Defaults are left out of the content, so a new field changes no hash."""


class Weights(_Rules, frozen=True, kw_only=True):
    """How much each term counts in the strategy `balanced`; 0 leaves it out. Only their ratios matter."""

    skill_fit: Weight = 1.0
    free_share: Weight = 1.0
    idle: Weight = 1.0
    affinity: Weight = 1.0
    scarcity: Weight = 1.0
    ramp_in: Weight = 1.0

    @property
    def total(self) -> float:
        return self.skill_fit + self.free_share + self.idle + self.affinity + self.scarcity + self.ramp_in


EVEN: Final = Weights()


class Queue(_Rules, frozen=True, kw_only=True):
    """Where cases wait, and in which `order` they leave. `offer_s` is how long an offer rings, at `ring` advisors at
    once, of whom the first who takes it has it; with `auto_accept` it doesn't ring at all.

    `tiers` restricts who may be offered its cases (empty: everyone who serves the queue), and so does
    `language_level`, how well they speak the customer's language, where no rule says it. `acknowledge`
    sends the customer one automatic acknowledgement. `affinity_s` is how long a case that comes back waits for the
    advisor who knows it, while he is there; without it, the rulebook's `hold_s` holds. `ramp_s` is how long
    an advisor who has come online is ramped in. `weights` are for the strategy `balanced`. `relax`: what a case asks
    less of the advisors, the longer it waits; after `secondary_after_s` its secondary members may have it, too (never,
    if that isn't given). `team` is whose lead answers for a case that nobody has, `notify` the
    target that stands for the queue's own channel. An advisor who declines an
    offer says why where `decline_reason` is set, and who hands a case on leaves a note where `transfer_note` is.
    `pick` names the tiers whose advisors may take a waiting case themselves.
    """

    policy: Name
    title: Title | None = None
    order: QueueOrder = QueueOrder.URGENCY
    strategy: Strategy = Strategy.BALANCED
    ladder: Name | None = None
    auto_accept: bool = False
    offer_s: Annotated[int, Meta(ge=1, le=86_400)] = 30
    tiers: tuple[Name, ...] = ()
    language_level: Level = 1
    acknowledge: bool = False
    affinity_s: Seconds | None = None
    weights: Weights | None = None
    ramp_s: Annotated[int, Meta(ge=0, le=86_400)] = 0
    ring: Annotated[int, Meta(ge=1, le=5)] = 1
    decline_reason: bool = False
    transfer_note: bool = False
    pick: tuple[Name, ...] | Literal["all"] = ()
    relax: Annotated[tuple[RelaxStep, ...], Meta(max_length=MAX_STEPS)] = ()
    secondary_after_s: Wait | None = None
    team: Name | None = None
    notify: Name | None = None


class SkillWant(_Rules, frozen=True, kw_only=True):
    """A wanted skill written out; a bare number in its place is a hard want at that level."""

    level: Level = 1
    hard: bool = True


class Effect(_Rules, frozen=True, kw_only=True):
    """What a rule sets. A field that isn't named is left to later rules, the queue and the defaults. `exclude` names
    advisors who never get the case, `last-advisor` among them; `language_level` is how well they have to speak the
    customer's language."""

    queue: Name | None = None
    priority: Priority | None = None
    skills: dict[Name, Level | SkillWant] = {}
    language: Language | None = None
    language_level: Level | None = None
    policy: Name | None = None
    ladder: Name | None = None
    labels: tuple[Label, ...] = ()
    acknowledge: bool | None = None
    exclude: Excluded = ()


class Rule(_Rules, frozen=True, kw_only=True, rename={"continue_": "continue"}):
    """If `match` holds (always, when empty), the rule sets its fields; unless it continues, it is the last."""

    name: Name
    match: dict[str, Any] = {}
    set: Effect = Effect()
    continue_: bool = False


class Promise(_Rules, frozen=True, kw_only=True):
    """If `match` holds (always, when empty), the case has this policy instead of its queue's. Besides what rules look
    at, it may look at the `queue` and the `priority` that they have come to."""

    name: Name
    match: dict[str, Any] = {}
    policy: Name


class Defaults(_Rules, frozen=True, kw_only=True):
    """What holds when no rule says otherwise. Policy, ladder and acknowledgement come from the queue."""

    queue: Name
    priority: Priority = DEFAULT_PRIORITY
    language: Language | None = None


class Document(_Rules, frozen=True, kw_only=True):
    """The content of a rulebook, as written in its files.

    `reopen_s` is how long after its resolution a case is reopened by the customer's next message,
    `cool_down_s` how long an advisor who declined isn't offered the same case, `backoff_s` how long a
    case waits that everybody has declined, `consult_units` what it costs an advisor to be asked in,
    `consult_offer_s` how long he is rung for it (0: he is in at once), `consults_reply` whether he may
    then answer the customer.
    `hold_s` is how long a case that comes back waits for the advisor who knows it, `team_hold_s` how long
    one that an advisor has left waits for his team, `grace_s` how long an advisor whose connection broke
    stays present, `away_after` how many offers in a row he may miss before he is set to away (0: any
    number), of which `away_notify` are told. `acknowledgements` are the texts of the automatic
    acknowledgement by language; without one, none is sent. `labels` weigh cases by what they are about.
    `teams` says who leads them, `supervisors` who stands above all, `quiet` when a notice target is told
    nothing. `shares` spreads what waits over queues that the same advisors serve.
    """

    defaults: Defaults
    queues: dict[Name, Queue]
    policies: dict[Name, Policy]
    calendars: dict[Name, CalendarSpec] = {}
    ladders: dict[Name, Ladder] = {}
    channels: dict[Name, ChannelWeight] = {}
    labels: dict[Label, LabelWeight] = {}
    skills: dict[Name, Title] = {}
    tiers: tuple[Name, ...] = ()
    outcomes: dict[Name, Title]
    reopen_s: Seconds = 7 * 86_400
    cool_down_s: Seconds = 120
    backoff_s: Annotated[int, Meta(ge=1, le=86_400)] = 15
    consult_units: Units = 10
    consult_offer_s: Annotated[int, Meta(ge=0, le=3_600)] = 30
    consults_reply: bool = False
    hold_s: Seconds = 60
    team_hold_s: Seconds = 600
    grace_s: Annotated[int, Meta(ge=1, le=3_600)] = 30
    away_after: Annotated[int, Meta(ge=0, le=100)] = 3
    away_notify: ToldList = ()
    teams: dict[Name, Team] = {}
    supervisors: Duties = ()
    quiet: dict[Name, Quiet] = {}
    acknowledgements: dict[Language, Acknowledgement] = {}
    rules: tuple[Rule, ...] = ()
    promises: Annotated[tuple[Promise, ...], Meta(max_length=500)] = ()
    shares: Shares | None = None


class Rulebook(Document, frozen=True, kw_only=True, forbid_unknown_fields=False, eq=False):
    """A checked rulebook, ready to judge by. Build it with `load` or `restore`, never by hand.

    `tests` are the compiled conditions, one a rule, `promise_tests` one a promise, `calls` those of the steps of each
    ladder, and `open_hours` the compiled calendars; `places` tells where each value was written, and `closing` how far
    each file of closures reaches, by where it is named (both empty for a restored rulebook). None of these is content.
    """

    hash: str
    tests: tuple[Callable[[View], bool], ...]
    promise_tests: tuple[Callable[[View], bool], ...] = ()
    calls: dict[str, tuple[Callable[[View], bool] | None, ...]] = {}
    open_hours: dict[str, Calendar] = {}
    closing: dict[Path, Closing] = {}
    places: dict[Path, Place] = {}

    def acknowledgement(self, language: str | None) -> str | None:
        """The text for a language, or that of the default language; None if there is neither."""
        texts = self.acknowledgements
        return texts.get(language or "") or texts.get(self.defaults.language or "")

    def calendar_of(self, policy: str, clock: str = "") -> Calendar | None:
        """What a policy's clock runs by, or all that don't differ; None is elapsed time, also for a policy that isn't
        there (any more)."""
        found = self.policies.get(policy)
        name = found.calendar_name(clock) if found else None
        return self.open_hours[name] if name else None

    def weight(self, channel: str) -> ChannelWeight:
        """The channel's weight; one that the rulebook doesn't name has the default weight."""
        return self.channels.get(channel, DEFAULT_WEIGHT)

    def units(self, channel: str, labels: Iterable[str] = ()) -> int:
        """What a case of a channel with these labels takes of a budget."""
        weighed = [self.labels[label].units for label in labels if label in self.labels]
        return max(weighed) if weighed else self.weight(channel).units


def content(document: Document) -> bytes:
    """The canonical bytes of a rulebook's content: sorted keys, no defaults, no layout."""
    fields = {name: getattr(document, name) for name in Document.__struct_fields__}
    return msgspec.json.encode(Document(**fields), order="sorted")


def content_hash(canonical: bytes) -> str:
    """The first 16 hexadecimal digits of the content's SHA-256."""
    return hashlib.sha256(canonical).hexdigest()[:16]
