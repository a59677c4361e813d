"""What acts come to: how each went, and what it shows of the state."""

from enum import StrEnum

import msgspec

from router.contract.advisor import AdvisorState
from router.contract.case import CaseState
from router.store.rebuilds import gen_of


class Result(StrEnum):
    """How an act went. Each act's docstring lists those it can give."""

    # refused by the store, whatever the act
    FENCED = "fenced"
    FOREIGN = "foreign"
    NEWER = "newer"
    SKEWED = "skewed"
    FULL = "full"
    ABSENT = "absent"
    CONFLICT = "conflict"
    # placed
    QUEUED = "queued"
    OFFERED = "offered"
    ASSIGNED = "assigned"
    RETURNED = "returned"
    # not placed
    REFUSED = "refused"
    NOT_HEAD = "not_head"
    NO_ROOM = "no_room"
    GONE = "gone"
    NOT_YOURS = "not_yours"
    UNSEEN = "unseen"
    UNFIT = "unfit"
    # done
    APPENDED = "appended"
    DUPLICATE = "duplicate"
    DONE = "done"
    SAME = "same"
    MOVED_ON = "moved_on"


class TimerClaim(msgspec.Struct, frozen=True, kw_only=True):
    """A timer that is due: on a case (``c``) or an advisor (``a``). ``deadline_ms`` is the one to claim with,
    ``due_ms`` the one it was armed for; ``fired`` tells that the store has served it, ``late_ms`` how late it
    comes, if by more than a moment; ``put_off``: for lack of memory."""

    subject: str
    id: str
    timer: str
    due_ms: int
    deadline_ms: int
    fired: bool
    late_ms: int = 0
    put_off: bool = False


class Outcome(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What became of an act.

    ``case`` is the state after it (or as found, when it was refused); ``advisors`` the full states of those it
    changed or refused, to correct a roster. ``number`` is the last outbox entry it wrote (0: none): the act is
    durable when the relay has come that far. ``head`` is the true head after ``NOT_HEAD``. ``put_off``
    counts the timers that wait for memory.
    """

    result: Result
    case: CaseState | None = None
    advisors: tuple[AdvisorState, ...] = ()
    number: int = 0
    head: str = ""
    repeated: bool = False
    taken: str = ""
    moved_to: str = ""
    claims: tuple[TimerClaim, ...] = ()
    put_off: int = 0

    @property
    def durable_at(self) -> int:
        """The outbox number to wait for until this is durable; 0 when it is. An operation that a rebuild remembers
        came from the bus: nobody relays its number any more."""
        is_put_back = self.repeated and self.case is not None and gen_of(self.number) < self.case.gen
        return 0 if is_put_back else self.number
