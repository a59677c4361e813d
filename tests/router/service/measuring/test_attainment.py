"""Attainment from the metric and from the events, as the operators' page says, against waits that are known."""

from collections import Counter
from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

from prometheus_client import CollectorRegistry

from router.contract.case import read_detail
from router.contract.ids import CaseId
from router.store.acts import Result
from router.store.protocol import OutboxEntry
from rules import Rulebook
from tests.suites.metrics import shown
from tests.suites.stage import POOL, RULES, Stage, rulebook, stage

Told = Counter[str]
BACK_S = 1_000
TARGETS_S = {"first_response": 60, "next_response": 40, "resolution": 300}


class Course(NamedTuple):
    """How long one customer waits, in seconds: for the first answer, and for each that he asks for half a minute later;
    and whether he comes back once it is resolved, then without an answer. A case without any answer is resolved after
    ``silent_s``."""

    answers_s: Sequence[float] = ()
    silent_s: float = 0.0
    comes_back: bool = False

    def truth(self) -> Told:
        """What a person with a watch would say."""
        told: Told = Counter()
        for number, waited_s in enumerate(self.answers_s):
            told.update([_result("first_response" if number == 0 else "next_response", waited_s)])
        if not self.answers_s and self.silent_s >= TARGETS_S["first_response"]:
            told.update(["first_response/missed"])
        whole_s = sum(self.answers_s) + 30 * (len(self.answers_s) - 1) if self.answers_s else self.silent_s
        told.update([_result("resolution", whole_s)])
        if self.comes_back:
            told.update([_result("next_response", BACK_S)])
        return told


def _result(clock: str, waited_s: float) -> str:
    return f"{clock}/{'met' if waited_s < TARGETS_S[clock] else 'missed'}"


TWENTY = [
    *(Course([first_s, *more_s]) for first_s, more_s in product((5, 59.999, 60, 61), ((), (39.999,), (40, 1, 200)))),
    *(Course([first_s], comes_back=True) for first_s in (10, 400)),
    *(Course(silent_s=silent_s) for silent_s in (0, 59.999, 60, 299.999, 300)),
    Course([1, 1, 1, 1, 1, 1]),
]


def promises() -> Rulebook:
    policy = ", ".join(f"{clock}_s: {target_s}" for clock, target_s in TARGETS_S.items())
    return rulebook(RULES.replace("first_response_s: 3600, resolution_s: 86400", policy))


def by_events(entries: Sequence[OutboxEntry]) -> Told:
    """A breach is a target missed, an end with time left one that is met; the resolution counts before a reopening."""
    told: Told = Counter()
    for entry in entries:
        if entry.case is None:
            continue
        detail = read_detail(entry.case.detail)
        ends = [f"{each.clock}/met" for each in detail.finished if each.ver == entry.case.ver and each.margin_ms > 0]
        if entry.kind == "due" and entry.about.startswith("breach."):
            ends.append(f"{entry.about.removeprefix('breach.').partition('|')[0]}/missed")
        told.update(end for end in ends if not (detail.reopened and end.startswith("resolution/")))
    return told


def by_metric(registry: CollectorRegistry) -> Told:
    counted = shown(registry, "turnout_sla_targets_total")
    return Counter({name.removeprefix("standard/"): round(value) for name, value in counted.items()})


async def answered(scene: Stage, case: str) -> None:
    request = scene.request((await scene.case(case)).owner)
    assert (await scene.casework.reply(CaseId(case), request, text="hello")).result is Result.DONE


async def run(scene: Stage, case: str, course: Course) -> None:
    await scene.write(case, talk=case, labels=("direct",))
    for number, waited_s in enumerate(course.answers_s):
        if number:
            await scene.pass_s(30)
            await scene.write(f"{case}-{number}", talk=case)
        await scene.pass_s(waited_s)
        await answered(scene, case)
    await scene.pass_s(course.silent_s)
    await scene.resolve(case)
    if course.comes_back:
        await scene.write(f"{case}-again", talk=case)
        await scene.settle()
        await scene.pass_s(BACK_S)
        await scene.resolve(case)


async def test_twenty_cases_with_known_waits_are_counted_as_they_were() -> None:
    assert len(TWENTY) == 20
    truth: Told = sum((course.truth() for course in TWENTY), Counter())
    async with stage(promises()) as scene:
        await scene.hire("mina", budget=100)
        for number, course in enumerate(TWENTY):
            await run(scene, f"c{number}", course)
        entries = await scene.store.pending(POOL, 0, limit=10_000)
        assert by_metric(scene.registry) == truth == by_events(entries)


async def test_an_answer_between_the_due_time_and_its_timer_is_one_missed_target() -> None:
    async with stage(promises()) as scene:
        await scene.hire("mina")
        await scene.write("c1", labels=("direct",))
        await scene.clock.advance_ms(60_200)
        await answered(scene, "c1")
        await scene.pass_s(1)
        told = Counter({"first_response/missed": 1})
        entries = await scene.store.pending(POOL, 0)
        assert by_metric(scene.registry) == told == by_events(entries)
