"""Advice on the stage: Mina has the case c1, and asks for it."""

from router.contract.advisor import AdvisorState
from router.contract.case import Ask, read_detail
from router.contract.ids import AdvisorId, CaseId
from router.engine.consulting import Whom
from router.service.cases.consults import Advised
from tests.suites.stage import POOL, RULES, Stage

C1 = CaseId("c1")
SENIORS = Whom(tier="senior")
RULED = f"{RULES}consult_offer_s: 20\nconsult_units: 12\nsupervisors: []\n"


async def ask(scene: Stage, whom: Whom = SENIORS, *, by: str = "mina", note: str = "") -> Advised:
    await scene.caught_up()
    return await scene.casework.consult(C1, scene.request(by), whom=whom, note=note)


async def rung(scene: Stage) -> str:
    return next((offer.advisor for offer in (await scene.case("c1")).offers), "")


async def asked(scene: Stage) -> Ask:
    found = read_detail((await scene.case("c1")).detail).ask
    assert found is not None
    return found


async def end(scene: Stage) -> tuple[str, str]:
    found = await asked(scene)
    return found.last, found.end


async def person(scene: Stage, name: str) -> AdvisorState:
    state = await scene.store.advisor(POOL, AdvisorId(name))
    assert state is not None
    assert state.load <= state.budget
    return state


async def loads(scene: Stage) -> dict[str, int]:
    """Of all who have something."""
    await scene.caught_up()
    return {name: load for name in ("mina", "sun", "sol", "sea") if (load := await scene.load(name))}


async def at_work(scene: Stage) -> None:
    """Mina has the mail c1; Sun, Sol and Sea are seniors with nothing to do."""
    await scene.hire("mina", budget=10)
    await scene.write("c1")
    await scene.accept("c1")
    for name in ("sun", "sol", "sea"):
        await scene.hire(name, tier="senior", skills={"billing": 7})
