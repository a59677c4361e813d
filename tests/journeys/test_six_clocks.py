"""Every clock that a policy may have, once through real sockets: each warns, breaches and ends, and every account of
them agrees. Some count business time of a calendar that never closes."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from channels.notify.card_simulator import CardSimulator, TeamsMessage, teams_simulator
from router.contract.events import CaseEvent, EventType
from router.runtime.simulators import CustomerMessage
from tests.suites import clock_audits as audits
from tests.suites.eventually import eventually
from tests.suites.installation import Advisor, Installation, installation

RULES = """
defaults: {queue: general, language: en}
outcomes: {solved: Solved}
calendars: {always: {time_zone: Asia/Seoul, week: {daily: ["00:00-24:00"]}}}
policies:
  all:
    first_response_s: 4
    next_response_s: 3
    resolution_s: 9
    assignment_s: 2
    update_s: 4
    third_party_s: 2
    calendar: always
    warn: [0.5]
    clocks:
      update: {elapsed: true}
      third_party: {elapsed: true, warn: [{before_s: 1}], chase: {notify: [managers], every_s: 1, most: 2}}
queues: {general: {policy: all, offer_s: 60}}
"""
ROSTER = "advisors: [{id: mina, name: Mina, languages: {en: 9}}]"
CLOCKS = ("first_response", "next_response", "resolution", "assignment", "update", "third_party")


@pytest.fixture
async def teams() -> AsyncIterator[CardSimulator[TeamsMessage]]:
    made = teams_simulator()
    yield made
    await made.stop()


def settings(folder: Path, options: dict[str, Any]) -> dict[str, Any]:
    (folder / "rules").mkdir()
    (folder / "rules" / "rules.yaml").write_text(RULES, "utf-8")
    (folder / "roster.yaml").write_text(ROSTER, "utf-8")
    return {
        "rules_dir": str(folder / "rules"),
        "roster_file": str(folder / "roster.yaml"),
        "targets": {"managers": {"notifier": "teams", "options": options, "group_s": 0}},
    }


class Day:
    """What happens to one case, step by step; ``case`` once it was accepted."""

    def __init__(self, place: Installation, bus: dict[str, Any]) -> None:
        self._place = place
        self._bus = bus
        self.mina: Advisor
        self.case = ""
        self._written = 0

    async def write(self) -> None:
        self._written += 1
        ref, customer = f"m{self._written}", self._place.customers["webhook"]
        message = CustomerMessage(ref=ref, customer="kim", thread="t1", subject="", text=f"This is {ref}.")
        assert (await customer.send(message)).accepted
        if self.case:
            await self.mina.push("message", case=self.case)

    async def accept(self) -> None:
        self.mina = await self._place.sign_in("mina")
        offer = await self.mina.push("offer")
        self.case = offer["case"]
        taken = await self.mina.ask("accept", case=self.case, offer_ver=offer["offer_ver"])
        assert taken["result"] == "assigned"

    async def do(self, kind: str, **members: Any) -> None:
        answer = await self.mina.ask(kind, case=self.case, **members)
        assert answer["result"] == "done", answer

    async def breached(self, clock: str) -> None:
        """Return once the service has counted a breach of the clock."""

        async def is_counted() -> bool:
            found = [value for name, value in (await self._place.metrics()).items() if _is_missed(name, clock)]
            return sum(found) > 0

        await eventually(is_counted, within_s=60)

    async def events(self) -> list[CaseEvent]:
        return await audits.events(self._place, self._bus, self.case)


def _is_missed(series: str, clock: str) -> bool:
    return all(
        part in series
        for part in ("turnout_sla_targets_total{", f'target="{clock}"', 'policy="all"', 'result="missed"')
    )


async def gone_through(day: Day, teams: CardSimulator[TeamsMessage]) -> None:
    """Each clock breaches, and all but the resolution once are met as well."""
    await day.write()
    await day.breached("assignment")
    await day.accept()
    await day.breached("first_response")
    await day.do("reply", text="Let me look.")
    await day.write()
    await day.breached("next_response")
    await day.breached("update")
    await day.do("reply", text="Still looking.")
    await day.write()
    await day.do("reply", text="Yes.")
    await day.breached("resolution")
    await day.do("pend", on="third-party", reason="courier")
    await day.breached("third_party")
    async with asyncio.timeout(60):
        reminders = [await teams.arrived.get(), await teams.arrived.get()]
    assert [each.attachments[0].content.fallback_text for each in reminders] == [
        "A third party is late (reminder 1)",
        "A third party is late (reminder 2)",
    ]
    await day.write()
    await day.do("pend", on="third-party", reason="courier")
    await day.write()
    await day.do("reply", text="It is there.")
    await day.do("resolve", outcome="solved")


@pytest.mark.timeout(300)
async def test_all_six_clocks_warn_breach_and_end_and_their_accounts_agree(
    tmp_path: Path, bus: dict[str, Any], teams: CardSimulator[TeamsMessage]
) -> None:
    more = {**settings(tmp_path, dict(await teams.start())), **bus}
    async with installation(tmp_path, channels=["webhook"], more=more) as place:
        day = Day(place, bus)
        await gone_through(day, teams)
        clocks, told = await audits.shown(place, day.case), await day.events()
        assert set(clocks) == set(CLOCKS)
        audits.check_times(told)
        audits.check_page(clocks, told)
        audits.check_words(audits.said(place, day.case), clocks)
        breached = {
            about.removeprefix("breach.").partition("|")[0] for about in audits.fired(told) if "breach." in about
        }
        warned = {about.removeprefix("warn.").partition("|")[0] for about in audits.fired(told) if "warn." in about}
        assert breached == warned == set(CLOCKS)
        ends = audits.finished(told)
        missed = {end.clock for end in ends if end.margin_ms <= 0}
        met = {end.clock for end in ends if end.margin_ms > 0}
        assert missed == set(CLOCKS)
        assert {"next_response", "update", "third_party"} <= met
        assert (len(told), [event.ver for event in told]) == (told[-1].ver, list(range(1, told[-1].ver + 1)))
        assert sum(event.type is EventType.SNOOZE for event in told) == 2
        metrics = await place.metrics()
        assert metrics["turnout_dead_letters_total"] == 0
    assert teams.refusals == []
    assert place.process.stop() == 0
