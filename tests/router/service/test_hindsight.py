"""The roster as it was at each change, against a copy that was made then."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from router.contract.advisor import AdvisorState, Presence
from router.contract.ids import AdvisorId
from router.runtime.clock import ManualClock
from router.service.hindsight import KEPT_MS, Hindsight, roster_of
from tests.suites.people import advisor

_NAMES = ("ann", "bob", "cho")


def seen(past: Hindsight, gen: int, change: int) -> dict[str, AdvisorState] | None:
    rows = past.rows(gen, change)
    return None if rows is None else {str(member.state.id): member.state for member in roster_of(rows)}


def changed(state: AdvisorState, ver: int) -> AdvisorState:
    return replace(state, ver=ver, presence=Presence.AWAY if ver % 2 else Presence.ONLINE)


@given(st.lists(st.sampled_from(_NAMES), max_size=30), st.integers(1, 40))
def test_each_change_that_is_kept_shows_the_roster_as_it_was_then(changes: list[str], most: int) -> None:
    past = Hindsight(ManualClock().now_ms, most=most)
    now = {name: replace(advisor(name), ver=1) for name in _NAMES[:2]}
    past.begin(4, 100, now.values())
    then = {100: dict(now)}
    for change, name in enumerate(changes, start=101):
        now[name] = changed(now.get(name, advisor(name)), change)
        past.note(change, now[name])
        then[change] = dict(now)
    kept = sorted(then)[-most - 1 :]
    assert {change: seen(past, 4, change) for change in then} == {
        change: then[change] if change in kept else None for change in then
    }


async def test_an_hour_is_kept() -> None:
    clock = ManualClock()
    past = Hindsight(clock.now_ms)
    past.begin(1, 7, [advisor("ann")])
    past.note(8, changed(advisor("ann"), 2))
    await clock.advance_ms(KEPT_MS)
    past.note(9, changed(advisor("ann"), 3))
    assert seen(past, 1, 7) is not None
    await clock.advance_ms(1)
    past.note(10, changed(advisor("ann"), 4))
    assert (seen(past, 1, 7), seen(past, 1, 8)) == (None, {"ann": changed(advisor("ann"), 2)})


def test_another_life_of_the_pool_and_what_is_still_to_come_are_unknown() -> None:
    past = Hindsight(ManualClock().now_ms)
    assert (past.rows(1, 5), past.rows(0, 0)) == (None, None)
    past.begin(1, 5, [advisor(AdvisorId("ann"))])
    assert [past.rows(0, 5), past.rows(2, 5), past.rows(1, 4), past.rows(1, 6)] == [None] * 4
    past.begin(2, 3, [])
    assert (past.rows(1, 5), past.rows(2, 3)) == (None, [])
