"""Inquiries a second from bus to offer, as a share of the best bare loop."""

from router.contract.ids import PoolId
from tests.bench.bare import BareLoop
from tests.bench.ground import Ground, relayed
from tests.bench.results import Sample
from tests.bench.script import Author
from tests.bench.seen import PLACED, events, span_s
from tests.bench.traffic import inquiry, record


async def measure(ground: Ground, run: int) -> Sample:
    """All inquiries are on the bus before anybody reads. Service: from the first act to the last event on the bus,
    offset by offset, with lanes, rules, decisions, explanations and the relay. Bare loops: from the first batch to
    the last commit, at each size of batch.

    The ratio is what an installation of one router and one relay (two processes) does of what one process does that
    decides nothing; both have the same servers on the same cores."""
    pool = PoolId(f"line-{run}")
    messages = [inquiry(pool, number) for number in range(ground.scale.inquiries)]
    await ground.load(pool, [record(message) for message in messages])
    author = Author(ground, pool)
    await author.open()
    lives = {message.id: await author.admit(message) for message in messages}
    rates = {}
    for batch in ground.scale.batches:
        await ground.reset(pool)
        rates[batch] = len(lives) / await BareLoop(ground, pool, lives).run(f"bare-{pool}-{batch}", batch=batch)
    rate, offered = await _serve(ground, pool, len(messages))
    parts = {f"bare_{batch}": (value, "inquiries/s") for batch, value in rates.items()}
    parts["offered_at_once"] = (offered, "share")
    return Sample(value=rate, baseline=max(rates.values()), parts=parts)


async def _serve(ground: Ground, pool: PoolId, count: int) -> tuple[float, float]:
    """The service's rate, and the share of the inquiries that were offered by the act that admitted them."""
    await ground.reset(pool)
    status = await ground.store.status(pool)
    since_ms = status.now_ms
    async with ground.service(pool):
        await relayed(ground.store, pool, status.number + count, within_s=ground.scale.longest_s)
    admitted = await events(ground, pool, "admit", since_ms=since_ms)
    placed = {event.about for event in admitted if event.outcome in PLACED}
    assert len(placed) == count, f"{len(placed)} of {count} inquiries were placed"
    offered = sum(event.outcome == "offered" for event in admitted) / len(admitted)
    return count / span_s(admitted, admitted), offered
