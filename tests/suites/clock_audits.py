"""The clocks of a case from outside: the page of the API, the words of ``turnout clock``, what the bus told of them;
and whether the three add up to the second."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

import aiohttp
import pytest

from router.contract.clock import FinishedClock
from router.contract.events import CaseEvent, EventType
from router.runtime.bus.kafka import KafkaBus
from router.runtime.bus.kafka_client import KafkaOptions
from router.runtime.bus.protocol import Bus
from router.runtime.bus.streams import StreamsBus
from tests.suites.crowd_account import story
from tests.suites.installation import Installation

LATEST_S = 5.0
"""Two cores carry broker, service and everybody else here; how late clocks are on a quiet machine is `make bench`'s."""
PLANNED_MS = 250
"""An act is planned a moment before the store takes it, and says that moment of what it does to a clock."""
_SPAN = re.compile(r"(?:([\d.]+) h)? ?(?:([\d.]+) min)? ?(?:([\d.]+) s)?")


async def shown(place: Installation, case: str) -> dict[str, dict[str, Any]]:
    """What the API says of the clocks, by name."""
    key = place.process.run("keys", "create", "--role", "supervisor").strip()
    url, headers = f"{place.running.api}/v1/cases/{case}/clocks", {"Authorization": f"Bearer {key}"}
    async with aiohttp.ClientSession(headers=headers) as http, http.get(url) as answer:
        assert answer.status == 200
        page: dict[str, Any] = await answer.json()
        return {clock["clock"]: clock for clock in page["clocks"]}


def said(place: Installation, case: str) -> list[str]:
    """What ``turnout clock`` says."""
    key = place.process.run("keys", "create", "--role", "supervisor").strip()
    return place.process.run("clock", case, "--key", key, "--time-zone", "Asia/Seoul").splitlines()


async def events(place: Installation, settings: Mapping[str, Any], case: str) -> list[CaseEvent]:
    """Every event of the case, in its order."""
    kafka = settings.get("kafka")
    bus: Bus = (
        KafkaBus(KafkaOptions(bootstrap=",".join(kafka["bootstrap"]))) if kafka else StreamsBus(place.running.store)
    )
    try:
        return (await story(bus, "default")).of(case)
    finally:
        await bus.close()


def fired(told: Sequence[CaseEvent]) -> Counter[str]:
    """How often each warning and each breach came: ``breach.resolution|0``."""
    return Counter(event.about for event in told if event.type is EventType.DUE)


def finished(told: Sequence[CaseEvent]) -> list[FinishedClock]:
    """The ends of clocks, each from the event that brought it."""
    return [end for event in told for end in event.case.finished if end.ver == event.ver]


def check_times(told: Sequence[CaseEvent]) -> None:
    """No warning or breach came before its time, or much after it, or twice."""
    assert set(fired(told).values()) <= {1}
    for before, event in pairwise(told):
        if event.type is not EventType.DUE or not event.about.startswith("breach."):
            continue
        clock = before.case.clocks[event.about.removeprefix("breach.").partition("|")[0]]
        assert clock.due_at_ms is not None
        assert 0 <= event.at_ms - clock.due_at_ms <= LATEST_S * 1000, event.about


def check_page(clocks: Mapping[str, Mapping[str, Any]], told: Sequence[CaseEvent]) -> None:
    """Of clocks that count all time: their stretches leave no hole, add up to what was used, and begin and end with
    the events that the bus has."""
    moments = [told[0].case.opened_at_ms, *(event.at_ms for event in told)]
    ends = {end.clock: end for end in finished(told)}
    for name, clock in clocks.items():
        past = [each for each in clock["stretches"] if not each.get("ahead")]
        for one, other in pairwise(past):
            assert one["ends_at"] == other["begins_at"], name
        for each in past:
            length_ms = _ms(each["ends_at"]) - _ms(each["begins_at"])
            assert each.get("used_s", 0) * 1000 == pytest.approx(length_ms if each["reason"] == "counted" else 0)
            begins_ms = _ms(each["begins_at"])
            assert any(abs(begins_ms - at_ms) <= PLANNED_MS for at_ms in moments), (name, each)
        used_s = clock.get("earlier_s", 0) + sum(each.get("used_s", 0) for each in past)
        assert used_s == pytest.approx(clock["used_s"]), name
        if "margin_s" in clock:
            assert clock["margin_s"] == pytest.approx(clock["target_s"] - clock["used_s"]), name
            assert ends[name].margin_ms == pytest.approx(clock["margin_s"] * 1000), name
            assert _ms(clock.get("met_at") or past[-1]["ends_at"]) == ends[name].at_ms, name


def check_words(lines: Sequence[str], clocks: Mapping[str, Mapping[str, Any]]) -> None:
    """A person who adds up what is printed comes to what is printed, and to what the API says."""
    parts = "\n".join(lines).split("\n\n")
    assert len(parts) == len(clocks)
    for part, clock in zip(parts, clocks.values(), strict=True):
        head, *rest = part.split("\n")
        state, used_s, target_s = _headline(head)
        assert (state, target_s) == (clock["state"], clock["target_s"])
        assert used_s == pytest.approx(clock["used_s"], abs=1)
        past = rest[: rest.index("  to come:")] if "  to come:" in rest else rest
        counted = [_seconds(line.partition("  counted ")[2]) for line in past if "  counted " in line]
        assert sum(counted) == pytest.approx(used_s, abs=1), part


def _headline(line: str) -> tuple[str, float, float]:
    found = re.fullmatch(r"[a-z ]+: (\w+), (.+) of (.+) used", line)
    assert found is not None, line
    return found[1], _seconds(found[2]), _seconds(found[3])


def _seconds(span: str) -> float:
    found = _SPAN.fullmatch(span)
    assert found is not None, span
    return sum(float(part or 0) * unit for part, unit in zip(found.groups(), (3600, 60, 1), strict=True))


def _ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)
