"""The advisor of the fault harness asks for advice and gives it, as a person at his desk would."""

import asyncio

import aiohttp

from router.contract.advisor import Presence
from router.contract.case import CaseStatus
from tests.suites.api_bench import ApiBench
from tests.suites.crowd import Line, Watch
from tests.suites.crowd_advisor import Worker
from tests.suites.eventually import eventually


async def test_who_asks_gets_advice_and_ends_his_case(bench: ApiBench) -> None:
    keys = {
        "minji": await bench.advisor("minji", queues=("delivery",)),
        "jun": await bench.advisor("jun", queues=("billing",)),
    }
    line, watch = Line(), Watch()
    line.open(bench.url(""))
    workers = [Worker(name, key, line, watch) for name, key in keys.items()]
    workers[0].whom = {"to": "jun"}
    case = await bench.write("When does my parcel come? <a>")

    async def is_resolved() -> bool:
        return (await bench.case(case)).state is CaseStatus.RESOLVED

    async def is_there() -> bool:
        return (await bench.person("jun")).presence is Presence.ONLINE

    async with aiohttp.ClientSession() as http:
        tasks = [asyncio.create_task(workers[1].run(http))]
        try:
            await eventually(is_there)
            tasks.append(asyncio.create_task(workers[0].run(http)))
            await eventually(is_resolved)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    acts = [line.split("|")[1] for line in await bench.store.history(bench.desk.pool, case)]
    assert [act for act in acts if act != "match"] == [
        *("admit", "accept", "consult", "accept", "note", "hand_back", "reply", "resolve"),
    ]
    assert (watch.seen["asked for advice"], watch.seen["advised"], workers[0].replied) == (1, 1, {"a": case})
    assert (await bench.person("jun")).load == 0
