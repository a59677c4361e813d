"""Acts: every change of state, as data.

An act names what is asked and what the caller believed when it computed the plan. The store applies it in
one atomic step or refuses it, and answers an ``Outcome`` either way; it raises only when it can't be reached.

Common to all, checked in this order: state of a newer format gives ``NEWER``, a foreign ``gen`` (or a pool that
isn't there) ``FOREIGN``, a clock far ahead ``SKEWED``, a stale fence ``FENCED``. Then, but for admit: a case that
isn't there gives ``ABSENT``; an operation id that was applied to the subject before gives the first answer again
(``repeated``, with the state as it is now); while memory is short ``FULL``, for the acts that ``marks`` names; a
timer claimed that has moved ``GONE``; a plan for another version ``CONFLICT``, with the state as it is. A refusal
writes nothing and is not remembered. An act that *weighs* makes the case take the plan's ``units``, of whoever has it
or is offered it, too: where it doesn't fit any more, it stays and is ``over``; a lighter one calls the matcher to him.
After an act on a case that neither waits nor is offered, ``relax|0`` is disarmed.
"""

import msgspec

from router.contract.advisor import Presence
from router.contract.ids import AdvisorId, CaseId, ConversationId, InquiryId, PoolId, ReplyId
from router.contract.plan import Placing, Plan
from router.store.outcomes import Outcome as Outcome  # noqa: PLC0414 - acts and answers, from one place
from router.store.outcomes import Result as Result  # noqa: PLC0414 - acts and answers, from one place
from router.store.outcomes import TimerClaim as TimerClaim  # noqa: PLC0414 - acts and answers, from one place


class Fence(msgspec.Struct, frozen=True, kw_only=True):
    """The input record an act comes from: its partition, the epoch it was read under, its offset and time.

    One that lies below the partition's applied mark is a duplicate, if it was published before the mark was noted:
    offsets begin anew when a topic is made anew. ``published_at_ms`` 0 is before anything.
    """

    partition: str
    epoch: int
    offset: int
    published_at_ms: int = 0


class Act(msgspec.Struct, frozen=True, kw_only=True, tag_field="act", omit_defaults=True, gc=False):
    """What every act carries. ``op`` is the operation id, empty for those that need none; ``actor`` who asked."""

    pool: PoolId
    gen: int
    now_ms: int
    op: str = ""
    actor: str = ""
    reason: str = ""


class CaseAct(Act, frozen=True, kw_only=True, omit_defaults=True):
    case: CaseId


class PlannedAct(CaseAct, frozen=True, kw_only=True, omit_defaults=True):
    """An act with a plan, good for ``plan.ver`` only. ``claim`` (``kind|n``, deadline) says which armed timer
    it serves: if that timer no longer stands at that deadline the act does nothing and answers ``GONE``."""

    plan: Plan
    claim: tuple[str, int] | None = None
    notices: tuple[str, ...] = ()


class Admit(Act, frozen=True, kw_only=True, tag="admit", omit_defaults=True):
    """Bring an inquiry to its case: open one, append to the open one, return a waiting one, reopen a resolved.

    ``plan.ver`` 0 opens ``case``; otherwise it is the version of the conversation's case that the plan was
    made for. A queued, offered, assigned or parked case takes the inquiry whatever its version, and the plan's
    detail and timers only if it is for that version; with ``fresh`` it takes it with such a plan only, and one that
    waits changes to the plan's line. ``replies`` go out only when the case is opened or re-placed, which weighs it.
    Nobody is overtaken: while cases wait in the plan's class, and to advisors with a work item, it hands nothing,
    but a pending case back to its owner. The inquiry is the operation id.
    Gives ``ASSIGNED``, ``OFFERED`` or ``QUEUED`` (opened), ``APPENDED``, ``RETURNED`` (pending, assigned to its
    owner) or the first three again (pending or resolved, re-placed), ``DUPLICATE`` (this inquiry came before, or
    ``case`` is there under another conversation; the case may be closed since, then no state is given),
    ``CONFLICT``, ``FENCED``, ``FULL`` (memory is short, or the outbox too long), ``MOVED_ON`` (to another pool).
    """

    case: CaseId
    conversation: ConversationId
    inquiry: InquiryId
    message: str
    channel: str
    units: int
    plan: Plan
    placing: Placing = Placing()
    fence: Fence | None = None
    replies: tuple[str, ...] = ()
    fresh: bool = False


class Match(PlannedAct, frozen=True, kw_only=True, tag="match", omit_defaults=True):
    """Give the head of a wait class to an advisor. Gives ``OFFERED``, ``ASSIGNED``, ``REFUSED`` (no candidate
    fits any more: their states say why), ``NOT_HEAD`` (``head`` says who is), ``CONFLICT``, ``ABSENT``."""

    class_key: str
    placing: Placing


class Assign(PlannedAct, frozen=True, kw_only=True, tag="assign", omit_defaults=True):
    """A person gives an open case to an advisor, whoever had it. ``over``: even above his capacity, recorded.
    Gives ``ASSIGNED``, ``SAME`` (he has it), ``NO_ROOM``, ``UNFIT`` (offline or unknown), ``GONE`` (not open),
    ``CONFLICT``."""

    advisor: AdvisorId
    over: bool = False


class Accept(CaseAct, frozen=True, kw_only=True, tag="accept", omit_defaults=True):
    """An advisor takes an offer. Gives ``ASSIGNED``, ``DONE`` (it was a consult: he is in on it, and the owner stays),
    ``SAME`` (it is his already), ``GONE`` (expired, taken back, or another took it), ``ABSENT``. Other advisors' offers
    of the case end in the same act. A ``plan``, if there is one, is written with it; for another version than the case
    has it gives ``CONFLICT`` while the offer stands."""

    advisor: AdvisorId
    offer_ver: int
    plan: Plan | None = None


class Decline(PlannedAct, frozen=True, kw_only=True, tag="decline", omit_defaults=True):
    """An advisor gives an offer back: the case waits at its old place, without him for the cool-down that the
    plan's class says. Gives ``QUEUED``, ``OFFERED`` (others still ring), ``GONE``, ``CONFLICT``. A consult that he
    gives back rings at the first candidate of ``placing`` who fits (``OFFERED``), or at nobody (``DONE``)."""

    advisor: AdvisorId
    offer_ver: int
    placing: Placing = Placing()


class Expire(PlannedAct, frozen=True, kw_only=True, tag="expire", omit_defaults=True):
    """Ring on no answer: the offers of ``offer_ver`` end, and count as missed. Gives ``QUEUED``, ``GONE``,
    ``CONFLICT``. One who has missed ``away_after`` in a row is set to away (0: never), and his notices of ``told`` go
    out with the event. Accepting or declining an offer begins the row anew. A consult that
    nobody answered goes on as in ``Decline``: ``OFFERED`` or ``DONE``."""

    offer_ver: int
    away_after: int = 0
    told: dict[AdvisorId, tuple[str, ...]] = {}
    placing: Placing = Placing()


class Requeue(PlannedAct, frozen=True, kw_only=True, tag="requeue", omit_defaults=True):
    """Put an open case back to be placed: with the first candidate who fits, else in the queue. Gives
    ``RETURNED`` (assigned to the owner it had), ``ASSIGNED``, ``OFFERED``, ``QUEUED``, ``CONFLICT``, ``GONE``."""

    placing: Placing = Placing()


class Transfer(PlannedAct, frozen=True, kw_only=True, tag="transfer", omit_defaults=True):
    """Hand an open case on: to the plan's queue, or to a candidate. The giver's capacity is free at once, or, of an
    assigned case, at ``wrap_up_ms``. ``advisor`` must own it unless empty; ``message`` (JSON) is an internal note that
    goes with it. Gives ``ASSIGNED``, ``OFFERED``, ``QUEUED``, ``REFUSED`` (the one asked for can't; nothing changed),
    ``NOT_YOURS``, ``GONE`` (not open), ``CONFLICT``."""

    advisor: AdvisorId | None = None
    placing: Placing = Placing()
    must: bool = False
    message: str = ""
    wrap_up_ms: int = 0


class Consult(PlannedAct, frozen=True, kw_only=True, tag="consult", omit_defaults=True):
    """Ask another advisor in; the owner stays. It rings at the first candidate who fits, until the placing's deadline,
    and costs him ``units`` from then on; by ``auto_accept`` he is in at once. ``message`` (JSON) is an internal note
    that goes with it. Gives ``OFFERED``, ``DONE`` (he is in), ``SAME`` (one of them is in, or rung
    already), ``REFUSED`` (none fits, another is rung, or eight are in), ``NOT_YOURS`` (nor when it isn't assigned),
    ``CONFLICT``."""

    advisor: AdvisorId
    units: int
    placing: Placing = Placing()
    message: str = ""


class HandBack(PlannedAct, frozen=True, kw_only=True, tag="hand_back", omit_defaults=True):
    """A consulted advisor is done, or isn't rung any more. Gives ``DONE``, ``SAME`` (he is neither in nor rung),
    ``CONFLICT``."""

    advisor: AdvisorId


class Park(PlannedAct, frozen=True, kw_only=True, tag="park", omit_defaults=True):
    """Interruptible work makes room; its owner keeps it, and it stays in his work set. ``until_ms``: by hand until
    then, which arms his timer ``park|<case>``; a parked case may be parked so, too. ``held_ms`` ends that, if it is
    until then: the case is parked from now on as if it made room. ``advisor`` must own it unless empty. Gives ``DONE``,
    ``GONE`` (not assigned, or not parked so), ``NOT_YOURS``, ``CONFLICT``. A rebuild ends what is by hand."""

    advisor: AdvisorId | None = None
    until_ms: int = 0
    held_ms: int = 0


class Unpark(PlannedAct, frozen=True, kw_only=True, tag="unpark", omit_defaults=True):
    """The owner takes parked or pending work up again. ``advisor`` must own it unless empty. Gives ``RETURNED``,
    ``NO_ROOM`` (unless ``over``; also when he is neither online nor finishing), ``GONE`` (neither parked nor pending),
    ``NOT_YOURS``, ``CONFLICT``."""

    over: bool = False
    advisor: AdvisorId | None = None


class Pend(PlannedAct, frozen=True, kw_only=True, tag="pend", omit_defaults=True):
    """The case waits on somebody else: no capacity, same owner. ``advisor`` must own it. Gives ``DONE``,
    ``NOT_YOURS``, ``CONFLICT``. A pending case may be pended anew."""

    advisor: AdvisorId


class FollowUp(PlannedAct, frozen=True, kw_only=True, tag="follow_up", omit_defaults=True):
    """Promise to come back: pending, with the timer ``follow_up|0`` that the plan arms. Like ``Pend``."""

    advisor: AdvisorId


class Note(CaseAct, frozen=True, kw_only=True, tag="note", omit_defaults=True):
    """Add an internal note (``message``: JSON). Gives ``DONE``, ``ABSENT``."""

    message: str


class Label(PlannedAct, frozen=True, kw_only=True, tag="label", omit_defaults=True):
    """Change labels; they are in the plan's detail. Re-keys a waiting case, and weighs. Gives ``DONE``,
    ``CONFLICT``."""


class Reply(PlannedAct, frozen=True, kw_only=True, tag="reply", omit_defaults=True):
    """Answer the customer: ``message`` goes to the transcript, ``reply`` (both JSON) to the replies topic.
    ``advisor`` must own the case, be consulted on it, or be empty (a supervisor or the service itself).
    Gives ``DONE``, ``NOT_YOURS``, ``CONFLICT``."""

    advisor: AdvisorId | None
    message: str
    reply: str


class Delivered(PlannedAct, frozen=True, kw_only=True, tag="delivered", omit_defaults=True):
    """What became of a reply; the plan's detail says it. Gives ``DONE``, ``CONFLICT``, ``ABSENT``."""

    reply: ReplyId
    state: str


class Resolve(PlannedAct, frozen=True, kw_only=True, tag="resolve", omit_defaults=True):
    """The work is done, with an outcome in the plan's detail; all capacity is free, the plan stops the clocks
    and arms ``close|0``. ``advisor`` must own it unless empty. ``seen`` names the inquiry up to which he has read,
    None for whoever doesn't mind. Until ``wrap_up_ms`` what an assigned case took of its owner's capacity stays taken
    (0: it is free at once). Gives ``DONE``, ``SAME`` (resolved already), ``NOT_YOURS``, ``UNSEEN`` (another inquiry is
    the case's last: the state names it), ``CONFLICT``."""

    advisor: AdvisorId | None = None
    seen: InquiryId | None = None
    wrap_up_ms: int = 0


class Close(CaseAct, frozen=True, kw_only=True, tag="close", omit_defaults=True):
    """The reopen window is over: event, tombstone, and everything of the case is forgotten. Gives ``DONE``,
    ``GONE`` (the timer moved, or it isn't resolved), ``ABSENT`` (closed before)."""

    claim: tuple[str, int]


class Escalate(PlannedAct, frozen=True, kw_only=True, tag="escalate", omit_defaults=True):
    """Take a step of the ladder; re-keys a waiting case, and weighs. The step only grows, but by a person (``lower``).
    ``take`` frees whoever has the case, and lets it wait in the plan's class. Without it the first candidate who fits
    is rung to come in beside the owner, at the case's units, or is in at once (``auto_accept``); when none does, nobody
    owns it, or somebody is rung already, the step is taken all the same. ``advisor`` must own it unless empty.
    ``message`` (JSON) is a note for whoever has it next. Gives ``DONE``, ``QUEUED`` (taken from who had it), ``SAME``
    (it is there already), ``NOT_YOURS``, ``GONE`` (not open, or the timer moved), ``CONFLICT``."""

    step: int
    lower: bool = False
    take: bool = False
    placing: Placing = Placing()
    advisor: AdvisorId | None = None
    message: str = ""


class Snooze(PlannedAct, frozen=True, kw_only=True, tag="snooze", omit_defaults=True):
    """Put timers off, as the plan says. Gives ``DONE``, ``CONFLICT``."""


class Rejudge(PlannedAct, frozen=True, kw_only=True, tag="rejudge", omit_defaults=True):
    """A new verdict, a step of relaxation, or an end of a cool-down or hold: a waiting case is re-keyed in its place.
    It weighs.
    ``about`` says in the history what it was. Gives ``DONE``, ``GONE``, ``CONFLICT``."""

    about: str = ""


class Replan(PlannedAct, frozen=True, kw_only=True, tag="replan", omit_defaults=True):
    """New due times after a change of calendar or policy; re-keys a waiting case, and weighs. Gives ``DONE``,
    ``CONFLICT``."""


class Move(PlannedAct, frozen=True, kw_only=True, tag="move", omit_defaults=True):
    """Hand an open case to another pool: it ends here as ``moved``, its conversation is forwarded, and
    ``handover`` (JSON) goes out. Gives ``DONE``, ``GONE`` (not open), ``CONFLICT``; repeated ``ABSENT``, since
    the case and its operation ids are gone."""

    to_pool: PoolId
    handover: str


class PresenceAct(Act, frozen=True, kw_only=True, tag="presence", omit_defaults=True):
    """An advisor's presence or connections change. ``connect``/``disconnect`` name a connection number;
    ``lease_ms`` is the deadline of the connection made or renewed; when the last one goes ``grace|0`` is
    armed at ``grace_ms``; ``left_ms`` arms ``left|0``. Both are disarmed when a connection comes. ``claim`` as in
    ``PlannedAct``. ``presence`` None leaves it, with its reason; so does ``away_from``, the channels that he isn't
    there for while online (whoever goes offline comes back for all). Gives ``DONE``, ``SAME`` (nothing changed),
    ``GONE``, ``ABSENT`` (no such profile)."""

    advisor: AdvisorId
    presence: Presence | None = None
    away_from: tuple[str, ...] | None = None
    connect: int = 0
    disconnect: int = 0
    lease_ms: int = 0
    grace_ms: int = 0
    left_ms: int = 0
    claim: tuple[str, int] | None = None


class ProfileAct(Act, frozen=True, kw_only=True, tag="profile", omit_defaults=True):
    """Set an advisor's profile (JSON ``profile``, with ``budget`` and ``caps`` apart for the acts to read).
    An unknown advisor is made, offline. Gives ``DONE``, ``SAME`` (no difference)."""

    advisor: AdvisorId
    budget: int
    profile: str
    caps: dict[str, int] = {}


class WrapUp(Act, frozen=True, kw_only=True, tag="wrap_up", omit_defaults=True):
    """An advisor's wrap-up of a case that he has resolved or handed on ends, and frees what it took; with ``until_ms``
    it goes on until then. ``claim`` as in ``PlannedAct``. Gives ``DONE``, ``GONE`` (it is over, or the timer moved),
    ``ABSENT`` (no such advisor). It is on no topic: a rebuild ends all wrap-ups."""

    advisor: AdvisorId
    case: CaseId
    until_ms: int = 0
    claim: tuple[str, int] | None = None


class Due(Act, frozen=True, kw_only=True, tag="due", omit_defaults=True):
    """Take at most ``limit`` (10) timers whose time has come. Those of kind ``warn.*`` and ``breach.*`` fire
    here, each with its event. Any other is handed back in ``claims`` and put off by ``retry_ms``, so that one
    poller works on it at a time: its own act, with that claim, disarms it. While memory is very short those that
    only tell wait (``marks``). Gives ``DONE``."""

    limit: int = 10
    retry_ms: int = 1000


class Done(Act, frozen=True, kw_only=True, tag="done", omit_defaults=True):
    """A work item has been served as of ``stamp``. Gives ``DONE``, ``SAME`` (stamped again since: it stays)."""

    item: str
    stamp: int


AnyAct = (
    Admit
    | Match
    | Assign
    | Accept
    | Decline
    | Expire
    | Requeue
    | Transfer
    | Consult
    | HandBack
    | Park
    | Unpark
    | Pend
    | FollowUp
    | Note
    | Label
    | Reply
    | Delivered
    | Resolve
    | Close
    | Escalate
    | Snooze
    | Rejudge
    | Replan
    | Move
    | PresenceAct
    | ProfileAct
    | WrapUp
    | Due
    | Done
)
