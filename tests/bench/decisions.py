"""How long one decision takes, and how many a core makes in a second: the engine alone, in processor time.

``decide_roster_growth`` holds a decision among the most advisors against one among the fewest, ``decide_rate``
decisions against those of a router that looks at everybody. Half the advisors have work, their skills are drawn, and
every case wants one at a level; the roster moves on between decisions, as it does in service.
"""

import random
import time
from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from router.contract.advisor import Work, WorkKind
from router.contract.ids import CaseId
from router.engine.decide import decide
from router.engine.eligibility import is_eligible
from router.engine.roster import Member, Roster
from router.engine.waiting import ClassWant, WaitClass
from rules import Rulebook
from rules.rulebook import Strategy
from tests.bench.ground import Ground
from tests.bench.results import Sample
from tests.suites.people import CLASS, NOW, advisor, roster
from tests.suites.stage import RULES, rulebook

_SKILLS: Final = tuple(f"skill-{number}" for number in range(20))
_BATCH: Final = 50
_DEFAULT: Final = Strategy.BALANCED


async def measure_growth(ground: Ground, run: int) -> Sample:
    """Microseconds of a decision with the most advisors, beside the fewest, by the default strategy; parts: each
    strategy at each size."""
    sizes = ground.scale.rosters
    teams = {size: _team(size, run) for size in sizes}
    books = {strategy: _book(strategy) for strategy in Strategy}
    spent = dict.fromkeys([(strategy, size) for strategy in Strategy for size in sizes], 0.0)
    batches = -(-ground.scale.decisions // _BATCH)
    for strategy, size in spent:
        _batch(teams[size], books[strategy], -1)  # the orders are made
    for batch in range(batches):
        # In turn, so that a busy machine slows all of them down.
        for strategy, size in spent:
            spent[strategy, size] += _batch(teams[size], books[strategy], batch)
    took = {key: seconds / batches / _BATCH * 1e6 for key, seconds in spent.items()}
    return Sample(
        value=took[_DEFAULT, max(sizes)],
        baseline=took[_DEFAULT, min(sizes)],
        parts={f"{strategy}_{size}": (us, "us") for (strategy, size), us in took.items()},
    )


async def measure_rate(ground: Ground, run: int) -> Sample:
    """Decisions of one core in a second, beside those that look at everybody."""
    size = sorted(ground.scale.rosters)[len(ground.scale.rosters) // 2]
    team, book = _team(size, run), _book(_DEFAULT)
    quick = slow = 0.0
    _batch(team, book, -1)
    batches = -(-ground.scale.decisions // _BATCH)
    for batch in range(batches):
        quick += _batch(team, book, batch)
        slow += _timed(lambda: _look_at_everybody(team))
    return Sample(value=batches * _BATCH / quick, baseline=batches / slow)


def _batch(team: Roster, book: Rulebook, batch: int) -> float:
    def act() -> None:
        for number in range(_BATCH):
            decide(team, _waiting(number), CaseId(f"case-{batch}-{number}"), book, NOW)

    seconds = _timed(act)
    _move_on(team, batch)
    return seconds


def _timed(act: Callable[[], object]) -> float:
    began = time.process_time()
    act()
    return time.process_time() - began


def _look_at_everybody(team: Roster) -> Member | None:
    fitting = (member for member in team if is_eligible(member, _waiting(0)))
    return min(fitting, key=lambda member: member.state.idle_since_ms, default=None)


def _move_on(team: Roster, step: int) -> None:
    """Somebody is done with something, or gets something."""
    member = team.in_slot(step % len(team))
    work = {} if member.state.work else {"next": Work(units=30, channel="chat", kind=WorkKind.CASE)}
    team.apply(replace(member.state, ver=member.state.ver + 1, idle_since_ms=NOW + step, work=work))


def _team(size: int, seed: int) -> Roster:
    dice = random.Random(seed)
    return roster(
        *(
            replace(
                advisor(
                    f"advisor-{number}",
                    load=dice.choice((0, 0, 30, 90)),
                    skills={skill: dice.randrange(1, 11) for skill in dice.sample(_SKILLS, 6)},
                    queues=(),
                ),
                idle_since_ms=NOW - dice.randrange(3_600_000),
            )
            for number in range(size)
        )
    )


def _book(strategy: Strategy) -> Rulebook:
    return rulebook(RULES.replace("general: {policy: standard,", f"general: {{policy: standard, strategy: {strategy},"))


def _waiting(number: int) -> WaitClass:
    return replace(CLASS, queue="general", wants=(ClassWant(_SKILLS[number % len(_SKILLS)], 1 + number % 7, True),))
