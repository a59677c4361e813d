"""The table of docs/supervisors.md: what each happening does to each clock, row by row, through the real services.

A row is tried on two cases: a fresh one that nobody has answered, and one that was answered and that the customer has
written to since. Between them every clock is one that the row can do something to.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import pytest

from router.contract.case import CaseDetail, CaseState, Clock, Pending, read_detail
from router.contract.ids import AdvisorId, CaseId
from router.store.acts import Result
from rules.policies import Clock as Kind
from tests.suites.stage import RULES, Stage, rulebook, stage

DOCS: Final = Path(__file__).parents[3] / "docs" / "supervisors.md"
NOTHING: Final = "—"
BOOK: Final = rulebook(
    RULES.replace(
        "standard: {first_response_s: 3600, resolution_s: 86400}",
        "standard: {first_response_s: 3600, resolution_s: 86400, next_response_s: 1800, assignment_s: 600,"
        " update_s: 7200, third_party_s: 9000}",
    )
    .replace("offer_s: 30}\n  billing", "offer_s: 30, acknowledge: true}\n  billing")
    .replace("cool_down_s", "acknowledgements: {en: We have it}\ncool_down_s")
)


class Row:
    """One case on the stage, which a row's happening comes to. ``is_answered``: replied to, and written to since."""

    def __init__(self, scene: Stage, *, is_answered: bool) -> None:
        self.scene = scene
        self.is_answered = is_answered
        self._messages = 0

    async def opened(self) -> None:
        await self.scene.hire("mina", budget=100)
        await self.scene.write("c1")

    async def assigned(self) -> None:
        await self.opened()
        assert (await self.scene.accept("c1")).result is Result.ASSIGNED

    async def begun(self) -> None:
        """An advisor has it; answered or not as the row asks."""
        await self.assigned()
        if self.is_answered:
            await self.replies()
            await self.writes()

    async def writes(self) -> None:
        self._messages += 1
        await self.scene.pass_s(1)
        await self.scene.write(f"m{self._messages}", talk="talk-c1")

    async def replies(self) -> None:
        outcome = await self.scene.casework.reply(CaseId("c1"), self.scene.request("mina"), text="hello")
        assert outcome.result is Result.DONE

    async def pends(self, on: str, *, until_s: int | None = None) -> None:
        now = self.scene.clock.now_ms()
        until_ms = None if until_s is None else now + until_s * 1000
        pending = Pending(on=on, since_ms=now, until_ms=until_ms)
        outcome = await self.scene.casework.pend(CaseId("c1"), self.scene.request("mina"), pending=pending)
        assert outcome.result is Result.DONE

    async def state(self) -> CaseState:
        return await self.scene.case("c1")


Step = Callable[[Row], Awaitable[object]]


async def _nothing(row: Row) -> None:
    return None


async def _only_answered(row: Row) -> None:
    await row.assigned()
    if row.is_answered:
        await row.replies()


async def _pending_on_customer(row: Row) -> None:
    await row.begun()
    await row.pends("customer")


async def _pending_on_third_party(row: Row) -> None:
    await row.begun()
    await row.pends("third-party")


async def _with_follow_up(row: Row) -> None:
    await row.begun()
    await row.pends("internal", until_s=60)


async def _resolved(row: Row) -> None:
    await row.begun()
    await row.scene.resolve("c1")


async def _acknowledged(row: Row) -> None:
    """The acknowledgement goes out in the act that opens the case: the same case without it has the same clocks."""
    detail = read_detail((await row.state()).detail)
    assert detail.acknowledged
    assert {name: clock.met_at_ms for name, clock in detail.clocks.items()} == dict.fromkeys(detail.clocks)


async def _to_an_advisor(row: Row) -> None:
    await row.scene.hire("jun", budget=100)
    await row.scene.caught_up()
    done = await row.scene.casework.transfer(CaseId("c1"), row.scene.request("mina"), to=AdvisorId("jun"))
    assert done.result is Result.OFFERED


HAPPENINGS: Final[dict[str, tuple[Step, Step]]] = {
    "the case opens": (_nothing, Row.opened),
    "an automatic reply goes out": (Row.opened, _acknowledged),
    "an advisor accepts it, or it is assigned": (Row.opened, lambda row: row.scene.accept("c1")),
    "a note is written": (
        Row.begun,
        lambda row: row.scene.casework.note(CaseId("c1"), row.scene.request("mina"), text="x"),
    ),
    "a label is put on": (
        Row.begun,
        lambda row: row.scene.casework.label(CaseId("c1"), row.scene.request("mina"), add=("x",)),
    ),
    "the customer writes again, before any reply": (Row.assigned, Row.writes),
    "an advisor's first reply": (Row.assigned, Row.replies),
    "the customer writes after a reply": (
        _only_answered,
        lambda row: row.writes() if row.is_answered else _nothing(row),
    ),
    "an advisor's reply to that": (Row.begun, lambda row: row.replies() if row.is_answered else _nothing(row)),
    "transfer to a queue": (
        Row.begun,
        lambda row: row.scene.casework.transfer(CaseId("c1"), row.scene.request("mina"), queue="billing"),
    ),
    "transfer to an advisor, who is rung": (Row.begun, _to_an_advisor),
    "pending on the customer": (Row.begun, lambda row: row.pends("customer")),
    "pending on a third party": (Row.begun, lambda row: row.pends("third-party")),
    "pending on an internal team": (Row.begun, lambda row: row.pends("internal")),
    "pending on the customer, who writes; its owner is there": (_pending_on_customer, Row.writes),
    "pending on a third party, and the customer writes": (_pending_on_third_party, Row.writes),
    "pending on a third party, then on the customer": (_pending_on_third_party, lambda row: row.pends("customer")),
    "the time of a follow-up comes": (_with_follow_up, lambda row: row.scene.pass_s(61)),
    "the advisor resolves it": (Row.begun, lambda row: row.scene.resolve("c1")),
    "it is reopened by a message; its owner is rung": (_resolved, Row.writes),
}


def documented() -> dict[str, dict[str, str]]:
    """The table as it is written: what happens -> clock -> what it does."""
    lines = DOCS.read_text("utf-8").split("<!-- clocks -->\n", 1)[1].split("\n\n", 1)[0].splitlines()
    head, _, *rows = [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in lines]
    return {row[0]: dict(zip(head[1:], row[1:], strict=True)) for row in rows}


def effect(name: str, before: CaseDetail | None, after: CaseDetail) -> str:
    """What a clock has done between two states of its case."""
    clock, was = after.clocks.get(name), before.clocks.get(name) if before else None
    ended = len([each for each in after.finished if each.clock == name])
    has_ended = ended > len([each for each in (before.finished if before else ()) if each.clock == name])
    if clock is None or clock == was:
        return NOTHING
    is_new = was is None or clock.cycle != was.cycle
    if has_ended:
        return "ends and starts anew" if is_new and _runs(clock) else "ends"
    if is_new:
        return "starts"
    assert was is not None
    return {(True, False): "pauses", (False, True): "goes on"}.get((_runs(was), _runs(clock)), NOTHING)


def _runs(clock: Clock) -> bool:
    return clock.running_since_ms is not None


async def observed(happening: str, *, is_answered: bool) -> dict[str, str]:
    before, act = HAPPENINGS[happening]
    async with stage(BOOK) as scene:
        row = Row(scene, is_answered=is_answered)
        await before(row)
        known = await scene.store.case(scene.actor.pool, CaseId("c1"))
        await scene.pass_s(1)
        await act(row)
        now = await row.state()
        was = read_detail(known.detail) if known else None
        return {str(kind): effect(str(kind), was, read_detail(now.detail)) for kind in Kind}


@pytest.mark.parametrize("happening", HAPPENINGS)
async def test_each_clock_does_what_the_table_says(happening: str) -> None:
    found = [await observed(happening, is_answered=is_answered) for is_answered in (False, True)]
    told = {clock: next((each[clock] for each in found if each[clock] != NOTHING), NOTHING) for clock in map(str, Kind)}
    assert told == documented()[happening]


def test_the_table_has_these_rows_and_clocks() -> None:
    table = documented()
    assert list(table) == list(HAPPENINGS)
    assert {tuple(row) for row in table.values()} == {tuple(map(str, Kind))}
    assert set(BOOK.policies["standard"].targets) == set(map(str, Kind))
