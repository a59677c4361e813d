"""Once the matcher has settled, nobody who could take a waiting case has room for it: by any strategy and order."""

import random

import pytest

from router.contract.advisor import Presence
from router.contract.case import CaseState, CaseStatus, read_detail
from router.engine.eligibility import eligible
from router.engine.waiting import read_class, wait_class
from rules import Rulebook
from rules.rulebook import QueueOrder, Strategy
from tests.suites.stage import RULES, Stage, rulebook, stage

SKILLS = ("billing", "technical")
STEPS = 40


def drawn_rules(dice: random.Random) -> Rulebook:
    text = RULES
    for queue in ("general", "billing"):
        options = f"strategy: {dice.choice([*Strategy])}, order: {dice.choice([*QueueOrder])}"
        text = text.replace(f"{queue}: {{policy: standard,", f"{queue}: {{policy: standard, {options},")
    return rulebook(text)


class Play:
    """A stage on which things happen by lot."""

    def __init__(self, scene: Stage, dice: random.Random, rules: Rulebook) -> None:
        self._scene, self._dice, self._rules = scene, dice, rules
        self._written: list[str] = []
        self._hired: list[str] = []

    async def step(self) -> None:
        """Somebody writes, comes, goes, or does something about a case; then the matcher settles."""
        acts = (self._write, self._write, self._hire, self._come_or_go, self._work, self._work)
        await self._dice.choice(acts)()
        await self._scene.settle()

    async def check(self) -> int:
        """How many wait; none of them in vain."""
        waiting = [state for state in await self._cases() if state.state is CaseStatus.QUEUED]
        for state in waiting:
            wanted = wait_class(
                read_detail(state.detail),
                channel=state.channel,
                units=state.units,
                rulebook=self._rules,
                now_ms=self._scene.clock.now_ms(),
            )
            assert wanted == read_class(state.class_key)
            assert not eligible(self._scene.tail.roster, wanted)
        return len(waiting)

    async def _cases(self) -> list[CaseState]:
        return [await self._scene.case(name) for name in self._written]

    async def _write(self) -> None:
        name, text = f"c{len(self._written)}", self._dice.choice(("hello", "my invoice", "my machine"))
        await self._scene.write(name, text, channel=self._dice.choice(("email", "chat")))
        self._written.append(name)

    async def _hire(self) -> None:
        name = f"a{len(self._hired)}"
        skills = {skill: self._dice.randrange(3, 11) for skill in SKILLS if self._dice.random() < 0.6}
        queues = self._dice.choice(((), ("general",), ("billing",)))
        await self._scene.hire(name, budget=self._dice.choice((10, 40)), skills=skills, queues=queues)
        self._hired.append(name)

    async def _come_or_go(self) -> None:
        if self._hired:
            presence = self._dice.choice((Presence.ONLINE, Presence.AWAY))
            await self._scene.presence(self._dice.choice(self._hired), presence)

    async def _work(self) -> None:
        held = [each for each in await self._cases() if each.state in (CaseStatus.OFFERED, CaseStatus.ASSIGNED)]
        if held:
            state = self._dice.choice(held)
            answers = (self._scene.accept, self._scene.decline)
            await (self._dice.choice(answers) if state.offers else self._scene.resolve)(state.id)


@pytest.mark.parametrize("seed", range(12))
async def test_nobody_is_left_who_could_take_what_waits(seed: int) -> None:
    dice = random.Random(seed)
    rules = drawn_rules(dice)
    async with stage(rules) as scene:
        play, waited = Play(scene, dice, rules), 0
        for _ in range(STEPS):
            await play.step()
            waited += await play.check()
        assert waited
