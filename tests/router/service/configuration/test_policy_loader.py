"""Policy from files: taken over when right, left as it was when wrong, and never undone by a restart."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from router.contract import topics
from router.contract.advisor import read_profile
from router.contract.ids import AdvisorId
from router.contract.topics import topic_specs
from router.runtime.bus.memory import MemoryBus
from router.service.configuration.api_keys import KeyTable
from router.service.configuration.policy_loader import PolicyLoader
from router.service.configuration.rule_files import RuleFiles
from router.service.configuration.topic import ConfigurationTail, ConfigurationWriter
from rules import RosterError, Rulebook
from tests.suites.eventually import eventually
from tests.suites.stage import POOL, RULES, Stage, rulebook, stage

ROSTER = "advisors:\n  - {id: mina, name: Mina, skills: {billing: 5, technical: 5}, languages: {en: 9}}\n"


class Place:
    """A rules folder, and an installation of one process around a memory bus."""

    def __init__(self, folder: Path, scene: Stage, bus: MemoryBus) -> None:
        self.rules = folder / "rules.yaml"
        self.roster = folder / "people.yml"
        self.bus = bus
        self.scene = scene
        self.tail = ConfigurationTail(bus, KeyTable(), clock=scene.clock)
        files = RuleFiles(str(folder), str(self.roster))
        writer = ConfigurationWriter(bus, clock=scene.clock)
        self.loader = PolicyLoader(files, writer, self.tail, clock=scene.clock, metrics=scene.metrics)
        self.in_force: list[Rulebook] = []
        self.tail.listen(self.in_force.append)

    async def versions(self) -> int:
        return len([record async for record in self.bus.history(topics.CONFIG) if record.key == "rulebook/active"])


async def place(folder: Path, scene: Stage, bus: MemoryBus | None = None) -> Place:
    known = bus or MemoryBus()
    await known.create_topics(topic_specs((POOL,)))
    rules = folder / "rules"
    rules.mkdir(exist_ok=True)
    if not (rules / "rules.yaml").exists():
        (rules / "rules.yaml").write_text(RULES, "utf-8")
    found = Place(rules, scene, known)
    found.roster = folder / "people.yml"
    found.roster.write_text(ROSTER, "utf-8")
    found.loader = PolicyLoader(
        RuleFiles(str(rules), str(found.roster)),
        ConfigurationWriter(known, clock=scene.clock),
        found.tail,
        clock=scene.clock,
        metrics=scene.metrics,
    )
    return found


async def test_the_first_start_publishes_the_files_and_the_next_one_nothing(tmp_path: Path) -> None:
    async with stage() as scene:
        one = await place(tmp_path, scene)
        await one.loader.start()
        await one.tail.read()
        assert [book.hash for book in one.in_force] == [rulebook().hash]
        await one.loader.start()
        again = [record.key async for record in one.bus.history(topics.CONFIG)].count("rulebook/active")
        assert again == 1


async def test_a_restart_does_not_bring_back_rules_that_were_replaced(tmp_path: Path) -> None:
    async with stage() as scene:
        one = await place(tmp_path, scene)
        await one.loader.start()
        newer = rulebook(RULES.replace("backoff_s: 15", "backoff_s: 16"))
        await ConfigurationWriter(one.bus, clock=scene.clock).activate(newer, by="somebody")
        restarted = await place(tmp_path, scene, one.bus)
        await restarted.tail.read()
        await restarted.loader.start()
        await restarted.tail.read()
        assert restarted.in_force[-1].hash == newer.hash


async def test_wrong_files_change_nothing_and_say_so(tmp_path: Path) -> None:
    async with stage() as scene:
        one = await place(tmp_path, scene)
        await one.loader.start()
        await one.tail.read()
        (tmp_path / "rules" / "rules.yaml").write_text(RULES.replace("queue: billing", "queue: biling"), "utf-8")
        before = await one.versions()
        assert not await one.loader.reload()
        assert await one.versions() == before
        assert scene.metrics.rules_good._value.get() == 0


async def test_what_is_doubtful_is_said_at_the_start_and_at_every_reload(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    calendar = "calendars: {seoul: {time_zone: Asia/Seoul, week: {daily: ['09:00-18:00']}, closures: [old.ics]}}\n"

    def said() -> list[str]:
        found = [record.getMessage() for record in caplog.records if "`old.ics`" in record.getMessage()]
        caplog.clear()
        return found

    async with stage() as scene:
        one = await place(tmp_path, scene)
        await one.loader.start()
        assert not said()
        (tmp_path / "rules" / "rules.yaml").write_text(RULES + calendar, "utf-8")
        over = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:19690504\nEND:VEVENT\nEND:VCALENDAR\n"
        (tmp_path / "rules" / "old.ics").write_text(over, "utf-8")
        for look in (one.loader.reload, one.loader.start):
            await look()
            (doubt,) = said()
            assert "closes nothing any more: its last day was 1969-05-04; export it anew" in doubt


async def test_a_changed_file_is_noticed_and_taken_over_with_the_roster(tmp_path: Path) -> None:
    async with stage() as scene:
        one = await place(tmp_path, scene)
        await one.loader.start()
        await one.tail.read()
        await one.loader.enrol([(scene.actor, scene.tail)])
        watching = asyncio.create_task(one.loader.run())
        (tmp_path / "rules" / "rules.yaml").write_text(RULES.replace("backoff_s: 15", "backoff_s: 20"), "utf-8")
        one.roster.write_text(ROSTER.replace("Mina", "Mina Kim"), "utf-8")
        one.loader.ask()

        async def is_taken_over() -> bool:
            await one.tail.read()
            known = await scene.store.advisor(POOL, next(iter(scene.store._pools[POOL].advisors)))
            return one.in_force[-1].backoff_s == 20 and known is not None and "Mina Kim" in known.profile

        await eventually(is_taken_over)
        watching.cancel()


@pytest.mark.parametrize(("anew", "acts"), [(False, 0), (True, 1)], ids=["a-file-has-changed", "asked"])
async def test_other_rules_leave_advisors_alone_who_are_as_before_unless_asked(
    tmp_path: Path, anew: bool, acts: int
) -> None:
    async with stage() as scene:
        one = await place(tmp_path, scene)
        await one.loader.enrol([(scene.actor, scene.tail)])
        before = _profile_acts(scene)
        (tmp_path / "rules" / "rules.yaml").write_text(RULES.replace("backoff_s: 15", "backoff_s: 20"), "utf-8")
        assert await one.loader.reload(anew=anew)
        assert _profile_acts(scene) - before == acts
        one.roster.write_text(ROSTER.replace("Mina", "Mina Kim"), "utf-8")
        assert await one.loader.reload(anew=False)
        assert _profile_acts(scene) - before == acts + 1


def _profile_acts(scene: Stage) -> float:
    (family,) = scene.metrics.acts.collect()
    return sum(
        one.value for one in family.samples if one.labels.get("act") == "profile" and one.name.endswith("_total")
    )


async def test_who_leaves_the_roster_file_is_offered_nothing_until_he_is_back(tmp_path: Path) -> None:
    async with stage() as scene:
        one = await place(tmp_path, scene)
        await one.loader.enrol([(scene.actor, scene.tail)])
        assert await _active(scene) == {"mina": True}
        one.roster.write_text(ROSTER.replace("mina", "jun").replace("Mina", "Jun"), "utf-8")
        await one.loader.enrol([(scene.actor, scene.tail)])
        assert await _active(scene) == {"mina": False, "jun": True}
        versions = {state.id: state.ver for state in (await scene.store.roster(POOL)).advisors}
        await one.loader.enrol([(scene.actor, scene.tail)])
        assert {state.id: state.ver for state in (await scene.store.roster(POOL)).advisors} == versions
        one.roster.write_text(ROSTER, "utf-8")
        await one.loader.enrol([(scene.actor, scene.tail)])
        assert await _active(scene) == {"mina": True, "jun": False}


async def _active(scene: Stage) -> dict[str, bool]:
    """Who may be offered work, once the roster's tail knows it too."""
    states = (await scene.store.roster(POOL)).advisors
    known = {state.id: read_profile(state.profile).active for state in states}
    await eventually(lambda: {member.state.id: member.profile.active for member in scene.tail.roster} == known)
    return {str(name): active for name, active in known.items()}


async def _becomes(scene: Stage, budget: int, level: int) -> None:
    async def is_so() -> bool:
        await scene.clock.advance_ms(2_000)
        state = await scene.store.advisor(POOL, AdvisorId("mina"))
        return state is not None and (state.budget, read_profile(state.profile).skills["billing"]) == (budget, level)

    await eventually(is_so)


async def test_a_new_advisor_gets_more_week_by_week_without_anybody_saving_the_file(tmp_path: Path) -> None:
    async with stage() as scene:
        one = await place(tmp_path, scene)
        today = datetime.fromtimestamp(scene.clock.now_ms() / 1000, UTC).date()
        weeks = "[{budget: 30, level: 2}, {budget: 60, level: 4}]"
        learning = f"{{id: mina, onboarding: {{from: {today}, weeks: {weeks}}},"
        one.roster.write_text(ROSTER.replace("{id: mina,", learning), "utf-8")
        await one.loader.enrol([(scene.actor, scene.tail)])
        running = asyncio.create_task(one.loader.run())
        try:
            await _becomes(scene, 30, 2)
            for budget, level in ((60, 4), (100, 5)):
                await scene.clock.advance_ms(7 * 86_400_000)
                await _becomes(scene, budget, level)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


def test_calendar_files_of_the_folder_are_read_and_watched(tmp_path: Path) -> None:
    calendar = 'calendars: {it: {time_zone: UTC, week: {daily: ["00:00-24:00"]}, closures: [off.ics]}}\n'
    (tmp_path / "rules.yaml").write_text(RULES + calendar, "utf-8")
    day_off = tmp_path / "off.ics"
    files = RuleFiles(str(tmp_path), None)
    for day in ("20261225", "20261224"):
        before = files.stamp()
        day_off.write_text(_off(day), "utf-8")
        assert files.stamp() != before
        assert list(files.rulebook().calendars["it"].dates) == [f"{day[:4]}-{day[4:6]}-{day[6:]}"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949"])
def test_a_calendar_file_is_read_as_other_programs_write_it(tmp_path: Path, encoding: str) -> None:
    calendar = 'calendars: {it: {time_zone: Asia/Seoul, week: {daily: ["00:00-24:00"]}, closures: [off.ics]}}\n'
    (tmp_path / "rules.yaml").write_text(RULES + calendar, "utf-8")
    (tmp_path / "off.ics").write_text(_off("20260302", "대체공휴일(삼일절)"), encoding)
    (special,) = RuleFiles(str(tmp_path), None).rulebook().calendars["it"].dates.values()
    assert special.name == "대체공휴일(삼일절)"


def test_rules_in_another_code_are_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text("# 규칙\n" + RULES, "cp949")
    with pytest.raises(OSError, match=r"rules\.yaml: it isn't written in UTF-8"):
        RuleFiles(str(tmp_path), None).rulebook()


def _off(day: str, name: str = "Off") -> str:
    return f"BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:{day}\nSUMMARY:{name}\nEND:VEVENT\nEND:VCALENDAR\n"


def test_a_roster_that_says_the_same_is_read_once(tmp_path: Path) -> None:
    file = tmp_path / "roster.yaml"
    file.write_text("advisors:\n  - {id: ann, name: Ann, languages: {ko: 5}}\n", "utf-8")
    files = RuleFiles(None, str(file))
    first = files.roster()
    assert files.roster() is first
    file.write_text("advisors:\n  - {id: bob, name: Bob, languages: {ko: 5}}\n", "utf-8")
    assert [one.id for one in files.roster().advisors] == ["bob"]
    file.write_text("advisors: 7\n", "utf-8")
    with pytest.raises(RosterError):
        files.roster()
