"""What the API works with: one desk a pool, and who is asking."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from router.contract.advisor import AdvisorState
from router.contract.case import CaseState, CaseStatus, read_detail
from router.contract.config import ApiKey, Role
from router.contract.ids import AdvisorId, OperationId, PoolId
from router.engine.exclusions import NO_WISH, Wish
from router.service.acting import Actor
from router.service.cases.casework import Casework
from router.service.cases.requests import Request
from router.service.configuration.policies import Policies
from router.service.hindsight import Hindsight
from router.service.matching.pace import Pace
from router.service.progress import Progress
from router.service.roster import RosterTail
from router.store.protocol import Lines, Reads
from rules import Queue

_FOR_ONE: Final = frozenset({Role.ADVISOR, Role.NOTIFIER})
_RESTING: Final = frozenset({CaseStatus.PENDING, CaseStatus.RESOLVED})


class Desk(NamedTuple):
    """All that acts and looks on one pool need. Its tail and its progress run elsewhere."""

    actor: Actor
    reads: Reads
    lines: Lines
    casework: Casework
    tail: RosterTail
    progress: Progress
    policies: Policies
    pace: Pace
    past: Hindsight

    @property
    def pool(self) -> PoolId:
        return self.actor.pool

    def known(self, advisor: AdvisorId) -> AdvisorState | None:
        """The advisor as the roster has him."""
        member = self.tail.roster.get(advisor)
        return member.state if member else None


Desks = Mapping[PoolId, Desk]


class Caller(NamedTuple):
    """A key, and what follows from it."""

    key: ApiKey
    desk: Desk

    @property
    def advisor(self) -> AdvisorId | None:
        """For whom he acts on cases: nobody in particular, for a supervisor."""
        return self.key.advisor if self.key.role in _FOR_ONE else None

    def request(self, op: str, reason: str = "", wish: Wish = NO_WISH) -> Request:
        """The same key and operation give the same id, so a repeat is known for one."""
        return Request(
            op=OperationId(f"{self.key.id}:{op}"),
            actor=self.advisor or self.key.id,
            advisor=self.advisor,
            reason=reason,
            wish=wish,
        )


def may_pick(desk: Desk, advisor: AdvisorId, queue: Queue) -> bool:
    """Whether an advisor may take waiting cases of a queue himself."""
    member = desk.tail.roster.get(advisor)
    if member is None or not member.profile.active:
        return False
    return queue.pick == "all" or member.profile.tier in queue.pick


def is_his(state: CaseState, advisor: AdvisorId) -> bool:
    """Whether a case is an advisor's to see: offered to him, his, one he is asked in on, or last was his."""
    if state.owner == advisor or advisor in state.consults:
        return True
    if any(offer.advisor == advisor for offer in state.offers):
        return True
    return state.state in _RESTING and read_detail(state.detail).last_advisor == advisor


def was_his(state: CaseState, advisor: AdvisorId) -> bool:
    """Whether an advisor had the case when it took a step of its ladder: he may go on looking at it."""
    return any(climb.owner == advisor for climb in read_detail(state.detail).climbed)
