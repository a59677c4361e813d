"""What nobody could do better: small cases by hand, and every policy stays below."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from router.contract.advisor import NO_QUEUE
from router.simulation.case import Case, Group, Handling, Traffic
from router.simulation.clairvoyant import MOST_JOBS, clairvoyant
from router.simulation.contenders import EVERY, contender
from router.simulation.installation import Installation, installation
from router.simulation.kernel import Kernel
from router.simulation.pooled import pooled
from router.simulation.traffic import Job
from rules import ChannelWeight


def case(team: int = 1) -> Case:
    handle = Handling(mean_s=60)
    return Case(
        title="x",
        hours=1,
        channels={"call": ChannelWeight(units=100)},
        classes={
            "billing": Traffic(channel="call", per_hour=0, handle=handle, target_s=10, skills={"billing": 1}),
            "other": Traffic(channel="call", per_hour=0, handle=handle, target_s=20, language="ko"),
        },
        advisors={
            "experts": Group(count=team, skills={"billing": 5}),
            "speakers": Group(count=team, languages={"ko": 5}),
        },
    )


SCENE = installation(case())


def best(jobs: list[Job], scene: Installation = SCENE) -> float:
    return clairvoyant(jobs, scene, units=[100, 100], languages=["", "ko"])


def job(at_s: float, handle_s: float, *, kind: int = 0, patience_s: float = 0) -> Job:
    return Job(round(at_s * 1000), kind, round(handle_s * 1000), round(patience_s * 1000))


@pytest.mark.parametrize(
    ("jobs", "share"),
    [
        pytest.param([], 1.0, id="nobody comes"),
        pytest.param([job(0, 60)], 1.0, id="one"),
        pytest.param(
            [job(0, 60), job(0, 60)], (1 + 10 / 60) / 2, id="one advisor: the second could begin, and no more"
        ),
        pytest.param([job(0, 60), job(0, 60, kind=1)], 1.0, id="each to who can"),
        pytest.param([job(0, 600), job(1, 30), job(40, 30)], (2 + 550 / 600) / 3, id="the long one gives way"),
        pytest.param(
            [job(0, 60, patience_s=1), job(0, 60, patience_s=1)], (1 + 1 / 60) / 2, id="patience is a promise too"
        ),
    ],
)
def test_the_clairvoyant_bound_by_hand(jobs: list[Job], share: float) -> None:
    assert best(jobs) == pytest.approx(share)


@pytest.mark.parametrize(("secondary", "share"), [(("billing",), 1.0), ((), 0.0)])
def test_secondary_members_might_have_it_in_time(secondary: tuple[str, ...], share: float) -> None:
    workers = tuple(
        worker._replace(profile=replace(worker.profile, queues=(NO_QUEUE,), secondary=secondary))
        for worker in SCENE.workers
    )
    assert best([job(0, 60)], SCENE._replace(workers=workers)) == share


def test_too_many_are_refused() -> None:
    with pytest.raises(ValueError, match="too many"):
        best([job(0, 1)] * (MOST_JOBS + 1))


@pytest.mark.parametrize(
    ("jobs", "share"),
    [
        ([], 1.0),
        ([job(0, 60), job(0, 60)], 1.0),
        ([job(0, 60), job(0, 60), job(0, 60)], 2 / 3),
        ([job(0, 15), job(0, 15), job(0, 60), job(1, 60, kind=1)], 3 / 4),
        ([job(0, 60), job(0, 60), job(55, 60), job(56, 60, kind=1)], 1.0),
    ],
)
def test_the_pooled_bound_by_hand(jobs: list[Job], share: float) -> None:
    assert pooled(jobs, SCENE, units=[100, 100]) == pytest.approx(share)


_JOBS = st.lists(
    st.builds(
        job,
        st.integers(0, 120),
        st.integers(1, 90),
        kind=st.integers(0, 1),
        patience_s=st.sampled_from((0, 0, 5, 40)),
    ),
    max_size=14,
).map(sorted)


@settings(max_examples=25, deadline=None)
@given(jobs=_JOBS, policy=st.sampled_from(EVERY))
def test_no_policy_keeps_more_than_the_clairvoyant(jobs: list[Job], policy: str) -> None:
    chosen, rulebook = contender(policy, case(), SCENE.rulebook)
    fates = Kernel(case(), SCENE._replace(rulebook=rulebook), chosen).run(jobs)
    in_time = sum(bool(fate.advisor) and fate.waited_ms <= SCENE.targets_ms[fate.kind] for fate in fates)
    assert not jobs or in_time / len(jobs) <= best(jobs) + 1e-9


@settings(max_examples=25, deadline=None)
@given(jobs=_JOBS)
def test_more_people_never_lower_a_bound(jobs: list[Job]) -> None:
    more = installation(case(2))
    assert best(jobs, more) >= best(jobs) - 1e-9
    assert pooled(jobs, more, units=[100, 100]) >= pooled(jobs, SCENE, units=[100, 100]) - 1e-9
