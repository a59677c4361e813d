"""An advisor whose act was on the way when the pool was rebuilt hears that it may be lost."""

import asyncio
from pathlib import Path

from router.contract.ids import PoolId
from router.store.rebuilds import first_number
from tests.suites.api_bench import ApiBench


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
