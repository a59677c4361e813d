"""The kernel on days of a few inquiries, each of which can be followed by hand."""

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from router.simulation.case import Burst, Case, Group, Handling, Shift, Traffic
from router.simulation.contenders import contender
from router.simulation.installation import installation
from router.simulation.kernel import Fate, Kernel
from router.simulation.measures import ALL, measured
from router.simulation.traffic import HOUR_MS, Job
from rules import ChannelWeight

CALL = Traffic(channel="call", per_hour=0, handle=Handling(mean_s=60), target_s=20)
CHAT = Traffic(channel="chat", per_hour=0, handle=Handling(mean_s=60), target_s=20)


def case(classes: dict[str, Traffic], advisors: dict[str, Group], **more: object) -> Case:
    channels = {"call": ChannelWeight(units=100), "chat": ChannelWeight(units=30)}
    return Case(title="x", classes=classes, advisors=advisors, channels=channels, **more)  # type: ignore[arg-type]


def live(given: Case, jobs: Sequence[Job], policy: str = "balanced") -> list[Fate]:
    scene = installation(given)
    chosen, rulebook = contender(policy, given, scene.rulebook)
    return Kernel(given, scene._replace(rulebook=rulebook), chosen).run(jobs)


def waits(fates: Sequence[Fate]) -> list[int]:
    return [fate.waited_ms for fate in fates]


def job(at_s: float, handle_s: float = 60, *, kind: int = 0, patience_s: float = 0) -> Job:
    return Job(round(at_s * 1000), kind, round(handle_s * 1000), round(patience_s * 1000))


@pytest.mark.parametrize("policy", ["balanced", "fifo-longest-idle", "strict-priority", "skill-rings"])
def test_who_comes_while_somebody_is_free_does_not_wait_and_the_next_waits_for_the_first_to_be_done(
    policy: str,
) -> None:
    fates = live(case({"a": CALL}, {"team": Group(count=2)}), [job(0, 60), job(1, 100), job(2), job(3)], policy)
    assert waits(fates) == [0, 0, 58_000, 98_000]
    assert [fate.worked_ms for fate in fates] == [60_000, 100_000, 60_000, 60_000]
    assert len({fate.advisor for fate in fates[:2]}) == 2


def test_who_loses_patience_is_gone_and_takes_nobodys_time() -> None:
    fates = live(case({"a": CALL}, {"team": Group()}), [job(0, 60), job(1, 60, patience_s=10), job(2, 60)])
    assert waits(fates) == [0, 10_000, 58_000]
    assert [fate.has_left for fate in fates] == [False, True, False]
    assert fates[1].advisor == ""


def test_who_is_served_before_he_loses_patience_stays() -> None:
    (fate,) = live(case({"a": CALL}, {"team": Group()}), [job(0, 60, patience_s=10)])
    assert (fate.has_left, fate.worked_ms) == (False, 60_000)


def test_several_cases_at_once_as_capacity_allows_each_slower_by_the_others() -> None:
    fates = live(case({"a": CHAT}, {"team": Group(slowdown=0.5)}), [job(0), job(1), job(2), job(3)])
    assert waits(fates) == [0, 0, 0, 57_000]
    assert [fate.worked_ms for fate in fates] == [60_000, 90_000, 120_000, 120_000]


def test_skills_and_languages_bind() -> None:
    classes = {"money": replace(CALL, skills={"billing": 3}), "talk": replace(CALL, language="ko")}
    team = {"expert": Group(skills={"billing": 5}), "speaker": Group(languages={"ko": 5})}
    fates = live(case(classes, team), [job(0, kind=0), job(1, kind=0), job(2, kind=1)])
    assert waits(fates) == [0, 59_000, 0]
    assert [fate.advisor for fate in fates] == ["expert-1", "expert-1", "speaker-1"]


def test_a_shift_begins_and_at_its_end_work_at_hand_is_finished() -> None:
    shift = Shift(from_h=1, to_h=2)
    fates = live(case({"a": CALL}, {"team": Group(shift=shift)}), [job(0), job(7_190), job(7_195)])
    assert waits(fates)[:2] == [HOUR_MS, 0]
    assert [bool(fate.advisor) for fate in fates] == [True, True, False]
    assert fates[2].waited_ms == 8 * HOUR_MS - 7_195_000


def test_wrap_up_keeps_an_advisor_for_a_while() -> None:
    given = replace(case({"a": CALL}, {"team": Group()}), channels={"call": ChannelWeight(units=100, wrap_up_s=30)})
    assert waits(live(given, [job(0), job(1)])) == [0, 89_000]


def test_rings_open_one_after_the_other() -> None:
    classes = {"money": replace(CALL, skills={"billing": 3})}
    team = {"expert": Group(skills={"billing": 9}), "all-round": Group(skills={"billing": 4})}
    fates = live(case(classes, team, rings=(20.0,)), [job(0), job(1), job(2)], "skill-rings")
    assert waits(fates) == [0, 20_000, 58_000]
    assert [fate.advisor for fate in fates] == ["expert-1", "all-round-1", "expert-1"]


def test_by_strict_priority_the_important_always_goes_first() -> None:
    classes = {"gold": replace(CALL, priority=1), "lead": replace(CALL, priority=3)}
    coming = [job(0), job(1, kind=1), job(100, kind=0)]
    late = [job(0, 1_000), job(1, kind=1), job(990, kind=0)]
    for policy, first in (("strict-priority", 990), ("fifo-longest-idle", 1)):
        fates = live(case(classes, {"team": Group()}), late, policy)
        assert min(fates[1:], key=lambda fate: fate.at_ms + fate.waited_ms).at_ms == first * 1000
    assert waits(live(case(classes, {"team": Group()}), coming, "strict-priority"))[1] == 59_000


def test_measures_are_of_what_came_after_the_warm_up() -> None:
    given = case({"a": CALL, "b": CALL}, {"team": Group(count=2)})
    fates = live(given, [job(0, 300), job(0, 300), job(10), job(290, kind=0, patience_s=1), job(700, 30, kind=1)])
    found = measured(
        fates, names=("a", "b"), targets_ms=(20_000, 20_000), advisors=("team-1", "team-2"), warm_up_ms=5_000
    )
    every, first = found.classes[ALL], found.classes["a"]
    assert every.count == 3
    assert [every.sla, every.abandoned] == pytest.approx([1 / 3, 1 / 3])
    assert (first.count, first.sla, first.p95_wait_s) == (2, 0.0, 290.0)
    assert first.mean_wait_s == pytest.approx((290 + 1) / 2)
    assert found.classes["b"].sla == 1.0
    assert 0 < found.gini < 0.1


def test_a_burst_over_a_fresh_team_spreads() -> None:
    given = case({"a": CHAT}, {"team": Group(count=30)}, bursts=(Burst(from_h=0, minutes=1, factor=1),))
    fates = live(given, [job(0.001 * number) for number in range(30)])
    assert len({fate.advisor for fate in fates}) == 30


def test_mail_is_parked_for_a_call_and_taken_up_again_where_it_was_left() -> None:
    channels = {
        "call": ChannelWeight(units=100, interrupts=True),
        "chat": ChannelWeight(units=30, interruptible=True),
    }
    given = replace(case({"mail": CHAT, "call": CALL}, {"team": Group()}), channels=channels)
    mail, call = live(given, [job(0, 60), job(20, 100, kind=1)])
    assert (mail.waited_ms, call.waited_ms) == (0, 0)
    assert (mail.worked_ms, call.worked_ms) == (60_000, 100_000)


def test_work_is_slower_by_what_is_at_hand_and_not_by_what_is_parked() -> None:
    channels = {
        "call": ChannelWeight(units=100, interrupts=True),
        "chat": ChannelWeight(units=30, interruptible=True),
    }
    given = replace(case({"mail": CHAT, "call": CALL}, {"team": Group(slowdown=0.5)}), channels=channels)
    mail, call = live(given, [job(0, 60), job(20, 100, kind=1)])
    assert (mail.worked_ms, call.worked_ms) == (60_000, 100_000)
