"""What the rules say of a message that reopens a case: it may raise it, and sends it nowhere else."""

from router.contract.case import read_detail
from router.engine.waiting import effective_priority
from rules import Reason
from tests.suites.stage import RULES, Stage, rulebook, stage

AGAIN = (
    "rules:\n"
    "  - {name: again, match: {reopened: {range: [2, null]}}, "
    "set: {priority: 1, labels: [again], queue: direct}, continue: true}"
)


async def _reopen(scene: Stage, *, name: str, text: str = "and again") -> None:
    await scene.resolve("c1")
    await scene.write(name, text, talk="t")
    await scene.settle()
    await scene.accept("c1")


async def _standing(scene: Stage) -> tuple[str, int, tuple[str, ...], int]:
    detail = read_detail((await scene.case("c1")).detail)
    return detail.verdict.queue, effective_priority(detail), detail.labels, detail.reopened


async def test_a_case_that_is_reopened_again_is_raised_and_stays_where_it_is() -> None:
    async with stage() as scene:
        scene.policies.activate(rulebook(RULES.replace("rules:", AGAIN)))
        await scene.hire("mina", skills={"billing": 5})
        await scene.write("c1", "my invoice", talk="t")
        await scene.accept("c1")
        await _reopen(scene, name="second")
        assert await _standing(scene) == ("billing", 3, (), 1)
        await _reopen(scene, name="third")
        assert await _standing(scene) == ("billing", 1, ("again",), 2)
        verdict = read_detail((await scene.case("c1")).detail).verdict
        assert verdict.reasons[-1] == Reason("again", ("labels", "priority"))


async def test_an_urgent_message_raises_the_case_that_it_reopens_and_a_calm_one_lowers_none() -> None:
    async with stage() as scene:
        await scene.hire("mina")
        await scene.write("c1", talk="t", labels=("urgent",))
        await scene.accept("c1")
        assert (await _standing(scene))[1] == 1
        before = read_detail((await scene.case("c1")).detail).verdict
        await _reopen(scene, name="calm")
        assert (await _standing(scene))[1] == 1
        assert read_detail((await scene.case("c1")).detail).verdict == before
