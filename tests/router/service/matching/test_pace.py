"""How fast advisors are handed cases, as changes of their work show it."""

from msgspec.structs import replace

from router.contract.advisor import AdvisorState, Work, WorkKind
from router.runtime.clock import ManualClock
from router.service.matching.pace import KEPT, Pace
from tests.suites.people import advisor, roster


def at_work(state: AdvisorState, *cases: str, kind: WorkKind = WorkKind.OFFER) -> AdvisorState:
    return replace(state, work={case: Work(units=1, channel="chat", kind=kind) for case in cases})


async def test_a_case_counts_once_when_it_is_handed_to_somebody() -> None:
    clock, ann, bob = ManualClock(), advisor("ann"), advisor("bob")
    people = roster(ann, bob)
    pace = Pace(people, clock.now_ms)
    pace.look(at_work(ann, "c1"))  # he had it before anybody looked
    assert pace.latest(people.everyone, 9) == []
    first = clock.now_ms()
    pace.look(at_work(ann, "c1", "c2"))
    pace.look(at_work(ann, "c1", "c2", kind=WorkKind.CASE))  # accepted
    pace.look(at_work(ann, "c2", kind=WorkKind.WRAP_UP))
    await clock.advance_ms(1_000)
    pace.look(bob)
    pace.look(at_work(bob, "c3"))
    assert pace.latest(people.everyone, 9) == [first + 1_000, first]
    assert pace.latest(people.everyone, 1) == [first + 1_000]
    assert pace.latest(people.bit("ann"), 9) == [first]


def test_what_is_taken_up_again_was_not_handed_out_anew() -> None:
    ann = advisor("ann")
    people, mail = roster(ann), Work(units=1, channel="email", kind=WorkKind.CASE)
    pace = Pace(people, ManualClock().now_ms)
    pace.look(ann)
    pace.look(replace(ann, work={"mail": mail}))
    pace.look(replace(ann, work={"mail": replace(mail, kind=WorkKind.PARKED)}))
    pace.look(replace(ann, work={"mail": mail}))
    assert len(pace.latest(people.everyone, 9)) == 1


def test_only_so_many_are_kept() -> None:
    ann = advisor("ann")
    people = roster(ann)
    pace = Pace(people, ManualClock().now_ms)
    pace.look(ann)
    for number in range(KEPT + 9):
        pace.look(at_work(ann, f"c{number}"))
    assert len(pace.latest(people.everyone, KEPT * 2)) == KEPT
