"""Sessions that are open while the pool is rebuilt: their connections are counted again at once, and whoever had an
act on the way hears that it may be lost."""

import asyncio
from pathlib import Path

from router.contract.ids import AdvisorId, PoolId
from router.service.rebuilding.rebuild import Rebuilder
from router.service.rebuilding.requeueing import requeueing
from router.store.acts import PresenceAct
from router.store.memory import MemoryStore
from router.store.rebuilds import first_number, gen_of
from tests.suites.api_bench import POOL, ApiBench
from tests.suites.eventually import eventually


async def test_an_act_that_was_never_confirmed_is_told_as_unknown(tmp_path: Path) -> None:
    bench = ApiBench(tmp_path, durable_wait_s=0.02)
    rebuilt = asyncio.Event()

    async def relayed(pool: PoolId, after: int, *, wait_ms: int = 0) -> int:
        await rebuilt.wait()
        rebuilt.clear()
        return first_number(2)

    bench.store.relayed = relayed  # type: ignore[method-assign]
    await bench.open(relays=False)
    minji = await bench.advisor("minji")
    async with bench.session(minji) as talk:
        assert (await talk.do("presence", op="come", presence="online"))["durable"] is False
        rebuilt.set()
        told = await talk.next("problem", op="come")
        assert (told["problem"]["status"], told["problem"]["retryable"]) == (503, True)
        assert "not known" in told["problem"]["detail"]
    await bench.close()


async def _is_counted(bench: ApiBench, name: str, number: int) -> bool:
    return (await bench.person(name)).connections == (number,)


async def _rebuild(bench: ApiBench) -> None:
    """And let the process learn of it."""
    assert isinstance(bench.store, MemoryStore)
    requeue = requeueing(bench.policies, bench.clock)
    rebuilder = Rebuilder(POOL, bench.store.rebuilds, bench.bus, clock=bench.clock, holder="one", requeue=requeue)
    assert await rebuilder.run() is not None
    await bench.actor.open(make=False)


async def _relays_what_followed(bench: ApiBench) -> bool:
    await bench.clock.advance_ms(100)
    return gen_of(bench.progress.reached_number) == bench.actor.gen


async def test_what_was_on_the_bus_before_is_durable_when_asked_for_again_after_it(bench: ApiBench) -> None:
    token = await bench.advisor("minji")
    async with bench.session(token) as talk:
        await bench.online(talk)
        case = await bench.write()
        await talk.next("offer")
        await talk.do("accept", op="take", case=case)
        first = await talk.do("note", op="rang", case=case, text="I rang him.")
        await _rebuild(bench)
        await eventually(lambda: _relays_what_followed(bench))
        again = await talk.do("note", op="rang", case=case, text="I rang him.")
        assert (again["result"], again["durable"]) == (first["result"], True)
        assert not [frame for frame in talk.heard if frame["type"] == "problem"]


async def test_a_connection_is_counted_in_the_rebuilt_pool_before_its_next_renewal(bench: ApiBench) -> None:
    token = await bench.advisor("minji")
    async with bench.session(token) as talk:
        await bench.online(talk)
        await _rebuild(bench)
        assert (bench.actor.gen, (await bench.person("minji")).connections) == (2, ())
        bench.tail.read_anew()
        await eventually(lambda: _is_counted(bench, "minji", talk.welcome["connection"]))
        assert "grace|0" not in (await bench.person("minji")).timers


async def test_a_connection_that_another_hand_uncounted_is_counted_again(bench: ApiBench) -> None:
    token = await bench.advisor("minji")
    async with bench.session(token) as talk:
        await bench.online(talk)
        number, ver = talk.welcome["connection"], (await bench.person("minji")).ver
        act = PresenceAct(
            pool=POOL,
            gen=bench.actor.gen,
            now_ms=bench.clock.now_ms(),
            advisor=AdvisorId("minji"),
            disconnect=number,
            grace_ms=bench.clock.now_ms() + 60_000,
        )
        await bench.actor.one(act)
        await eventually(lambda: _is_counted(bench, "minji", number))
        assert (await bench.person("minji")).ver == ver + 2
