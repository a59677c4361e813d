"""A ladder to climb, and who is there to climb it."""

import msgspec

from router.contract.case import CaseDetail, CaseState, read_detail
from router.contract.ids import CaseId
from router.service.cases.requests import Request
from router.service.climbing import ByHand
from rules import Rulebook
from tests.suites.stage import RULES, Stage, rulebook

LADDER = "  standard: {steps: [{at: breach, raise_priority: 1, notify: [webhook]}]}\n"
SKILLS = {"queues": ("general",), "budget": 60}


def ladder(steps: str, more: str = "") -> Rulebook:
    text = f"  standard:\n    above: [director]\n    steps:\n{steps}{more}"
    return rulebook(RULES.replace(LADDER, text))


def known(state: CaseState) -> CaseDetail:
    return read_detail(state.detail)


def said(request: Request, reason: str) -> Request:
    return msgspec.structs.replace(request, reason=reason)


async def by_hand(
    scene: Stage, case: str, advisor: str = "", *, note: str = "", reason: str = "over my head"
) -> ByHand:
    return await scene.casework.escalate(CaseId(case), said(scene.request(advisor), reason), note=note)


async def staff(scene: Stage, **tiers: str) -> None:
    for name, tier in tiers.items():
        await scene.hire(name, tier=tier, **SKILLS)  # type: ignore[arg-type]
