"""Nobody served the timers for an hour: what has become overdue fires in the order of its time, at a pace that leaves
room for new work, and says how late it is. By the real loop, on a real store."""

import asyncio

from router.store.protocol import OutboxEntry
from tests.servers import Server
from tests.suites.server_stage import stage_on
from tests.suites.stage import POOL, RULES, Stage, rulebook

CASES = 45
HOUR_MS = 3_600_000
FIRST_MS = 600_000
PACE_MS = 5
AT_ONCE = 10
PROMISED = RULES.replace("first_response_s: 3600,", "first_response_s: 600, warn: [],").replace(
    "ladder: standard, ", ""
)


async def served(scene: Stage, count: int) -> list[list[OutboxEntry]]:
    """What each round of the loop has fired, until so many have. Time passes only while the loop rests."""
    running = asyncio.create_task(scene.timers.run())
    rounds: list[list[OutboxEntry]] = []
    after = (await scene.store.status(POOL)).number
    while sum(map(len, rounds)) < count:
        async with asyncio.timeout(10):
            await scene.clock.asleep()
        entries = await scene.store.pending(POOL, after, limit=1_000)
        after = entries[-1].number if entries else after
        rounds.append([entry for entry in entries if entry.about.startswith("breach.")])
        await scene.clock.advance_ms(PACE_MS)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return rounds


async def test_after_an_hour_they_fire_in_order_at_a_pace_and_say_how_late(redis_server: Server) -> None:
    async with stage_on(redis_server, rulebook(PROMISED)) as scene:
        began_ms = scene.clock.now_ms()
        for number in range(CASES):
            await scene.write(f"c{number:02}")
            await scene.clock.advance_ms(1_000)
        await scene.clock.advance_ms(began_ms + FIRST_MS + HOUR_MS - scene.clock.now_ms())
        back_ms = scene.clock.now_ms()
        rounds = await served(scene, CASES)
    fired = [(str(entry.case.id), entry.reason) for each in rounds for entry in each if entry.case]
    assert [case for case, _ in fired] == [f"c{number:02}" for number in range(CASES)]
    assert [len(each) for each in rounds if each] == [AT_ONCE] * 4 + [5]
    for turn, each in enumerate(each for each in rounds if each):
        for entry in each:
            due_ms = began_ms + FIRST_MS + int(str(entry.case and entry.case.id)[1:]) * 1_000
            assert entry.at_ms == back_ms + turn * PACE_MS
            assert entry.reason == f"late by {entry.at_ms - due_ms} ms"
