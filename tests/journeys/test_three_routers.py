"""Races between three router processes, on streams and on Kafka. No case is ever helped by the sweep."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from router.contract.events import EventType
from tests.kafka_server_fixture import Broker
from tests.servers import Server, running
from tests.suites.crowd import Moment
from tests.suites.fleet import ADMITTED, Fleet, fleet, offered_to
from tests.suites.installation import Advisor

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(180)]

RULES = """
defaults: {queue: general, language: en}
skills: {one: One, two: Two, three: Three, six: Six, seven: Seven, eight: Eight, ten: Ten, eleven: Eleven}
outcomes: {solved: Solved}
channels: {webhook: {units: 10}}
policies: {standard: {first_response_s: 3600, resolution_s: 86400}}
queues: {general: {policy: standard, offer_s: 60}, quick: {policy: standard, offer_s: 4}}
away_after: 0
grace_s: 1
backoff_s: 1
rules:
  - {name: one, match: {text: {contains: about one}}, set: {skills: {one: 1}}}
  - {name: two, match: {text: {contains: about two}}, set: {skills: {two: 1}}}
  - {name: three, match: {text: {contains: about three}}, set: {skills: {three: 1}}}
  - {name: six, match: {text: {contains: about six}}, set: {queue: quick, skills: {six: 1}}}
  - {name: seven, match: {text: {contains: about seven}}, set: {skills: {seven: 1}}}
  - {name: eight, match: {text: {contains: about eight}}, set: {skills: {eight: 1}}}
  - {name: ten, match: {text: {contains: about ten}}, set: {skills: {ten: 1}}}
  - {name: eleven, match: {text: {contains: about eleven}}, set: {skills: {eleven: 1}}}
"""
# Skill, how many have it, and the room each has.
STAFF = (
    *(("one", 1, 30), ("two", 10, 100), ("three", 10, 100), ("six", 12, 10)),
    *(("seven", 1, 30), ("eight", 1, 50), ("ten", 1, 10), ("eleven", 1, 50)),
)


def names(skill: str) -> list[str]:
    return [f"{skill}-{number}" for name, many, _ in STAFF if name == skill for number in range(many)]


def policy(folder: Path) -> dict[str, Any]:
    (folder / "rules").mkdir()
    (folder / "rules" / "rules.yaml").write_text(RULES, "utf-8")
    rows = [
        f"  - {{id: {name}, name: {name}, languages: {{en: 9}}, skills: {{{skill}: 5}}, budget: {budget}}}"
        for skill, _, budget in STAFF
        for name in names(skill)
    ]
    (folder / "roster.yaml").write_text("\n".join(("advisors:", *rows, "")), "utf-8")
    return {"rules_dir": str(folder / "rules"), "roster_file": str(folder / "roster.yaml")}


@pytest.fixture(scope="module")
def store() -> Iterator[Server]:
    yield from running("valkey", append_fsync="no")


@pytest.fixture(scope="module", params=["streams", "kafka"])
def bus(request: pytest.FixtureRequest, store: Server) -> dict[str, Any]:
    """One store for both: it is emptied between them, as the broker is another."""
    store.clear()
    shared: dict[str, Any] = {
        "redis": {"url": store.url},
        "signing_key": "a key for a journey, long enough to sign",
        "router": {"sweep_s": 1.0},
        "bus": {"kind": request.param, "inquiry_partitions": 12, "partitions": 4},
    }
    if request.param == "kafka":
        broker: Broker = request.getfixturevalue("own_kafka")
        shared["kafka"] = {"bootstrap": [broker.bootstrap], "session_timeout_s": 3.0}
    return shared


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(bus: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Fleet]:
    folder = tmp_path_factory.mktemp("fleet")
    async with fleet(folder, routers=3, more={**policy(folder), **bus}) as running_fleet:
        yield running_fleet


async def test_scenario_01_an_advisor_with_room_for_three_never_holds_a_fourth(place: Fleet) -> None:
    before = await place.metric(ADMITTED)
    async with place.at_work(names("one")) as (worker,):
        for number, many in enumerate((100, 50, 50)):
            told = await place.told(await place.write(f"one-{number}", many), "resolved")
            assert told.faults() == []
            assert told.holders().shared == []
            assert told.holders().most == {"one-0": 3}
        assert worker.most == 3
    after = await place.metric(ADMITTED)
    # Each router had its share of the partitions.
    assert min(after[router] - before[router] for router in after) >= 20
    assert sum(after.values()) - sum(before.values()) == 200
    # Each of his free places is one router's work: without shares about as many tries are lost as succeed.
    tries = [await place.metric(f'turnout_match_tries_total{{outcome="{outcome}"}}') for outcome in ("handed", "lost")]
    handed, lost = (sum(each.values()) for each in tries)
    assert handed > 150
    assert lost < handed / 4
    await place.nothing_was_swept()


async def test_scenario_02_of_several_who_want_an_inquiry_one_has_it(place: Fleet) -> None:
    async with place.at_desks(names("two"), presence="away") as people:
        cases = await place.write("two", 5)
        await place.told(cases, "queued")
        await asyncio.gather(*(person.ask("presence", presence="online") for person in people))
        offered = (await place.told(cases, "offered")).last()
        for case in cases:
            assert await results_of_accepting(people, case, offered[case].case.offers[0].ver) == ["assigned"]
        told = await place.told(cases, "assigned")
        assert told.holders().shared == []
        assert told.faults() == []
    await place.nothing_was_swept()


async def results_of_accepting(people: list[Advisor], case: str, offer_ver: int) -> list[str]:
    """All accept at once: what those were told who weren't refused."""
    asked = (person.ask("accept", case=case, offer_ver=offer_ver) for person in people)
    return [answer["result"] for answer in await asyncio.gather(*asked) if answer["type"] == "result"]


async def test_scenario_03_a_burst_over_a_fresh_roster_spreads(place: Fleet) -> None:
    async with place.at_desks(names("three")):
        cases = await place.write("three", 30)
        offered = (await place.told(cases, "offered")).last()
        spread = Counter(event.case.offers[0].advisor for event in offered.values())
        assert set(spread) == set(names("three")), spread
        assert max(spread.values()) <= 6, spread
    await place.nothing_was_swept()


async def test_scenario_08_who_comes_online_gets_work_at_once_within_his_room(place: Fleet) -> None:
    cases = await place.write("eight", 20)
    await place.told(cases, "queued")
    async with place.at_desks(names("eight")) as (person,):
        offers = [await person.push("offer") for _ in range(5)]
        assert len({offer["case"] for offer in offers}) == 5
    async with place.at_work(names("eight")) as (worker,):
        told = await place.told(cases, "resolved")
        assert worker.most <= 5
    assert told.holders().most == {"eight-0": 5}
    assert told.faults() == []
    await place.nothing_was_swept()


async def test_scenario_07_the_freed_place_goes_to_who_waits_not_to_who_comes_later(place: Fleet) -> None:
    async with place.at_desks(names("seven")) as (person,):
        held, waiting = [], []
        for number in range(3):
            await place.write(f"seven-{number}", 1)
            held.append(await accepted(person))
        (first,) = await place.write("seven-3", 1)
        await place.told({first}, "queued")
        waiting.append(first)
        for number in range(4, 12):  # the one who comes and the place that becomes free, at the same time
            freed = person.ask("resolve", case=held.pop(0), outcome="solved")
            (later,), _ = await asyncio.gather(place.write(f"seven-{number}", 1), freed)
            waiting.append(later)
            held.append(await accepted(person))
            assert held[-1] == waiting.pop(0)
    await place.nothing_was_swept()


async def accepted(person: Advisor) -> str:
    """The next case he is offered, taken."""
    offer = await person.push("offer")
    assert (await person.ask("accept", case=offer["case"], offer_ver=offer["offer_ver"]))["result"] == "assigned"
    return str(offer["case"])


async def test_scenario_10_what_the_only_advisor_declines_comes_back_to_him(place: Fleet) -> None:
    async with place.at_desks(names("ten")) as (person,):
        (case,) = await place.write("ten", 1)
        for _ in range(3):
            offer = await person.push("offer", case=case)
            assert (await person.ask("decline", case=case, offer_ver=offer["offer_ver"]))["type"] == "result"
        assert await accepted(person) == case
        told = await place.told({case}, "assigned")
    assert len(offered_to(told.events)) == 4
    await place.nothing_was_swept()


async def test_scenario_11_toggling_presence_loses_nothing_and_leaves_nothing_stuck(place: Fleet) -> None:
    async with place.at_work(names("eleven")) as (worker,):
        writing = asyncio.create_task(place.write("eleven", 30), name="burst")
        for _ in range(20):
            await worker.ask("presence", presence="away")
            await worker.ask("presence", presence="online")
        told = await place.told(await writing, "resolved")
        assert worker.most <= 5
    assert told.faults() == []
    assert told.holders().shared == []
    await place.nothing_was_swept()


def kill(place: Fleet) -> bool:
    place.kill(0)
    return True


async def test_scenario_06_a_router_dies_and_its_open_offers_are_made_again_once(place: Fleet) -> None:
    async with place.at_work(names("six"), missed=set()):
        place.watch.arm(Moment("offer", 8), partial(kill, place))
        cases = await place.write("six", 24)
        told = await place.told(cases, "resolved")
        before = await place.metric(ADMITTED)
        assert before.keys() == {1, 2}, "router 0 should be dead"
        # What it had of the partitions the others have now.
        await place.told(await place.write("six-again", 24), "resolved")
        after = await place.metric(ADMITTED)
    assert sum(after.values()) - sum(before.values()) == 24
    assert min(after[router] - before[router] for router in after) > 0
    for case in cases:
        assert told.acts(case).count(EventType.EXPIRE) == 1
        assert len(offered_to(told.of(case))) == 2
    assert told.faults() == []
    assert told.holders().shared == []
    assert set(told.holders().most.values()) == {1}
    await place.nothing_was_swept()
    await place.restart(0)
