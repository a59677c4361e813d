"""What the supervisors' page says that an explanation says is said: its own rules and roster are played through."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from msgspec.structs import replace

from router.api.wording.phrases import Language
from router.api.wording.words import Words
from router.contract.advisor import Presence
from router.contract.ids import AdvisorId, CaseId
from router.service.cases.requests import Request
from router.service.configuration.rule_files import profile_of
from rules import Rulebook, load, load_roster
from tests.suites.stage import Stage, stage

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "supervisors.md").read_text("utf-8")


def _marked(mark: str) -> list[str]:
    return re.findall(rf"<!-- {mark} -->\n```yaml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def _shown(name: str) -> list[str]:
    """The lines that the page shows under a name."""
    found = re.search(rf"<!-- explained: {name} -->\n```text\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    assert found is not None, name
    return found[1].splitlines()


def _rulebook() -> Rulebook:
    files = {f"{number:02}.yaml": block for number, block in enumerate(_marked("rules"))}
    return load(files)


@dataclass(frozen=True)
class Office:
    """The people of the page at a stage."""

    scene: Stage

    async def come(self, *names: str) -> None:
        rows = {row.id: row for text in _marked("roster") for row in load_roster({"roster.yaml": text}).advisors}
        for name in names:
            profile = profile_of(rows[name])
            members = {each: getattr(profile, each) for each in profile.__struct_fields__ if each != "name"}
            await self.scene.hire(name, presence=Presence.ONLINE, **members)

    async def write(self, case: str, text: str, *, channel: str = "chat", talk: str = "") -> None:
        await self.scene.write(case, text, channel=channel, talk=talk)
        await self.scene.settle()

    async def done(self, case: str) -> None:
        await self.scene.resolve(case)
        await self.scene.settle()

    def request(self) -> Request:
        return replace(self.scene.request(), reason="as asked")

    async def explained(self, case: str) -> list[str]:
        told = Words(
            Language.ENGLISH, self.scene.tail.roster, self.scene.policies.active, self.scene.clock.now_ms()
        ).explained(await self.scene.case(case))
        return [*told.why_here, *told.why_waiting, *(change.text for change in told.would_free)]


async def secondary(office: Office) -> str:
    await office.come("bo")
    await office.write("c1", "where is my refund")
    await office.scene.casework.transfer(CaseId("c1"), office.request(), queue="refunds")
    return "c1"


async def excluded(office: Office) -> str:
    await office.come("minji")
    await office.write("c1", "I want to complain about my parcel", talk="kim")
    await office.done("c1")
    await office.write("c2", "And now I complain about your answer", talk="kim")
    return "c1"


async def ranked(office: Office) -> str:
    await office.come("minji", "bo")
    await office.write("c1", "I was charged twice", channel="email")
    return "c1"


async def parked(office: Office) -> str:
    await office.come("minji")
    for number in (1, 2, 3):
        await office.write(f"mail-{number}", "hello, where are you?", channel="email")
        await office.scene.accept(f"mail-{number}")
    await office.write("call", "please ring me", channel="voice")
    return "call"


async def capped(office: Office) -> str:
    await office.come("minji")
    for number in (1, 2, 3):
        await office.write(f"c{number}", "hello, where are you?")
        await office.scene.accept(f"c{number}")
    await office.write("c4", "hello, where are you?")
    return "c4"


async def shared(office: Office) -> str:
    for number in range(10):
        await office.write(f"general-{number}", "hello, where are you?", channel="voice")
    for number in range(14):
        await office.write(f"billing-{number}", "I was charged twice, please help", channel="voice")
    await office.scene.clock.advance_ms(1_000)  # lines are counted once a second
    await office.come("minji")
    state = await office.scene.store.advisor(office.scene.actor.pool, AdvisorId("minji"))
    assert state is not None
    return str(next(iter(state.work)))


@pytest.mark.parametrize("play", [secondary, excluded, ranked, parked, capped, shared])
async def test_what_the_page_shows_is_said(play: Callable[[Office], Awaitable[str]]) -> None:
    async with stage(_rulebook()) as scene:
        office = Office(scene)
        case = await play(office)
        said = await office.explained(case)
        for line in _shown(play.__name__):
            assert line in said, said
