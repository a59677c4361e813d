"""A router killed by SIGKILL while it brings a changed policy to many cases: the next one goes on, every case is
reached once, and what is overdue by the change fires once in each."""

from collections import Counter
from pathlib import Path

import msgspec
import pytest

from router.contract.case import read_detail
from router.contract.events import CaseEvent
from router.contract.topics import EVENTS
from router.runtime.bus.streams import StreamsBus
from tests.servers import Server
from tests.suites.eventually import eventually
from tests.suites.rules_on_disk import LONG_S, Place, place_with

CASES = 400
RULES = """
defaults: {queue: general, language: en}
outcomes: {solved: Solved}
policies:
  slow: {first_response_s: 36000, resolution_s: 864000}
  quick: {first_response_s: 1, resolution_s: 864000}
queues: {general: {policy: slow}}
"""
EVENT = msgspec.json.Decoder(CaseEvent)
FIRED = ["breach.first_response|0.replan", "warn.first_response|0.replan"]

pytestmark = pytest.mark.timeout(300)


async def told(bus: StreamsBus) -> dict[str, Counter[str]]:
    """What has fired because of a change, by case: a repeated record of one event counts once."""
    found: dict[str, Counter[str]] = {}
    seen: set[str] = set()
    async for record in bus.history(EVENTS):
        event = EVENT.decode(record.value or b"")
        if event.about.endswith(".replan") and event.id not in seen:
            seen.add(event.id)
            found.setdefault(event.subject, Counter())[event.about] += 1
    return found


async def reached(place: Place) -> int:
    return sum(bool(read_detail(state.detail).replans) for state in await place.cases())


async def test_killed_in_the_midst_of_it_the_next_router_reaches_every_case_once(
    tmp_path: Path, valkey: Server
) -> None:
    async with place_with(tmp_path, valkey, {"rules.yaml": RULES}) as place:
        await place.write(CASES)
        (place.rules / "rules.yaml").write_text(RULES.replace("policy: slow", "policy: quick"), "utf-8")

        async def is_under_way() -> bool:
            return await reached(place) > 0

        await eventually(is_under_way, within_s=LONG_S)
        place.router.kill()
        assert 0 < await reached(place) < CASES
        await place.router.start()

        async def is_through() -> bool:
            fired = sum(map(len, (await told(place.bus)).values()))
            return await reached(place) == CASES and fired == CASES * len(FIRED)

        await eventually(is_through, within_s=LONG_S)
        for state in await place.cases():
            detail = read_detail(state.detail)
            (change,) = detail.replans
            assert (detail.verdict.policy, change.policy_was, change.overdue) == ("quick", "slow", ("first_response",))
            assert not [timer for timer in state.timers if "first_response" in timer]
        fired = await told(place.bus)
        assert len(fired) == CASES
        assert all(sorted(each.elements()) == FIRED for each in fired.values())
