"""A change of policy or calendar that reaches cases which are resolved, and one that no file tells of."""

from datetime import UTC, datetime

import pytest

from router.engine.audit import audit
from rules import Rulebook
from tests.suites.metrics import shown
from tests.suites.replanned import CALENDAR, change, detail, due, fired, replanned
from tests.suites.stage import RULES, rulebook, stage


async def test_a_resolved_case_is_not_breached_by_a_change_and_goes_by_it_when_it_is_reopened() -> None:
    def book(resolution_s: int) -> Rulebook:
        return rulebook(RULES.replace("resolution_s: 86400", f"resolution_s: {resolution_s}"))

    async with stage(book(86_400)) as scene:
        await scene.hire("mina")
        await scene.write("c1", talk="t")
        await scene.accept("c1")
        await scene.pass_s(700)
        await scene.resolve("c1")
        await change(scene, book(600))
        await scene.pass_s(3_600)
        assert await fired(scene, "resolution") == []
        assert shown(scene.registry, "turnout_sla_targets_total") == {"standard/resolution/met": 1}
        await scene.write("again", talk="t")
        (found,) = (
            each
            for each in audit(await detail(scene), scene.policies.active, scene.clock.now_ms())
            if each.name == "resolution"
        )
        assert (found.state, found.target_ms, found.used_ms) == ("breached", 600_000, 700_000)
        assert found.due_at_ms == scene.clock.now_ms() - 100_000
        assert [change.is_overdue for change in found.changes] == [False]


async def test_a_case_reopened_after_a_holiday_was_added_has_back_what_the_holiday_took() -> None:
    clocked = RULES.replace("standard: {first", "standard: {calendar: office, first")
    async with stage(rulebook(clocked + CALENDAR % "")) as scene:
        await scene.hire("mina")
        await scene.write("c1", talk="t")
        opened = scene.clock.now_ms()
        day = datetime.fromtimestamp(opened / 1000, UTC).date().isoformat()
        await scene.accept("c1")
        await scene.pass_s(700)
        await scene.resolve("c1")
        used = scene.policies.active.open_hours["office"].worked(opened, scene.clock.now_ms())
        assert (await detail(scene)).clocks["resolution"].used_ms == used > 0
        closed = rulebook(clocked + CALENDAR % f", dates: {{{day}: {{name: Forgotten}}}}")
        await change(scene, closed)
        assert (await detail(scene)).clocks["resolution"].used_ms == 0
        await scene.pass_s(86_400)
        await scene.write("again", talk="t")
        clock, office = (await detail(scene)).clocks["resolution"], closed.open_hours["office"]
        assert clock.due_at_ms == office.due(scene.clock.now_ms(), 86_400_000)


async def test_a_holiday_that_a_newer_library_knows_reaches_open_cases_at_the_next_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    korean = CALENDAR.replace("UTC", "UTC, holidays: {country: KR}") % ""
    text = RULES.replace("standard: {first", "standard: {calendar: office, first") + korean
    async with stage(rulebook(text)) as scene:
        await scene.write("c1")
        await change(scene, rulebook(text))
        was_ms = due(await scene.case("c1"))
        assert was_ms is not None
        assert await replanned(scene) == 0
        decreed = datetime.fromtimestamp(was_ms / 1000, UTC).date()
        monkeypatch.setattr("rules.calendar.holidays_of", lambda *_: {decreed: "임시 공휴일"})
        await change(scene, rulebook(text))
        assert due(await scene.case("c1")) != was_ms
        assert await replanned(scene) == 1
        (made,) = (await detail(scene)).replans
        assert made.moved["first_response"].was_ms == was_ms
