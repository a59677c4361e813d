"""Random acts on ``MemoryStore`` and ``RedisStore``: same answers, same state, every promise kept.

``TURNOUT_TEST_SCRIPTS`` is the number of scripts a test plays; the scripts are the same in every run.
"""

import asyncio
import os
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from router.store.acts import Outcome
from tests.servers import Server
from tests.suites.acts_strategies import Intent, cuts_of, whole_script
from tests.suites.store.bench import POOL, START_MS, Bench
from tests.suites.store.benches import memory_bench, redis_benches
from tests.suites.store.director import Director, Step
from tests.suites.store.dump import dump
from tests.suites.store.invariants import Watch
from tests.suites.store.leftovers import leftovers
from tests.suites.store.outcomes import Seen, everything, named

SCRIPTS = int(os.environ.get("TURNOUT_TEST_SCRIPTS", "400"))
COMPARED_EVERY = 10
MARKS = {"outbox_mark": 28, "max_classes": 3}


class Play:
    """One script on a store in memory and, where there is one, on another."""

    def __init__(self, memory: Bench, other: Bench | None, seen: Seen) -> None:
        self._memory = memory
        self._other = other
        self._seen = seen
        self._director = Director(memory.store)  # type: ignore[arg-type]  # a bench in memory
        self._watch = Watch(self._director.pool)
        self._told: list[Step] = []

    async def run(self, script: list[Intent]) -> None:
        """Play it; a failure tells what was done."""
        try:
            for step in self._director.opening():
                await self._do(step)
            for number, intent in enumerate(script):
                if called_for := self._director.step(intent):
                    await self._do(called_for)
                if number % COMPARED_EVERY == 0:
                    await self._compare()
            await self._compare()
        except AssertionError as exc:
            exc.add_note("\n".join(str(step) for step in self._told))
            raise

    async def _do(self, step: Step) -> None:
        self._told.append(step)
        answers = await step.perform(self._memory)
        if self._other is not None:
            others = await step.perform(self._other)
            assert others == answers
        outcomes: list[Outcome] = answers if step.acts else []  # type: ignore[assignment]  # acts give outcomes
        for act, outcome in zip(step.acts, outcomes, strict=True):
            self._seen.add((type(act), "repeated" if outcome.repeated else outcome.result))
        self._watch.check(step.acts[0] if step.acts else None, outcomes)

    async def _compare(self) -> None:
        if self._other is None:
            return
        names = {"cases": sorted(self._director.cases), "talks": sorted(self._director.talks)}
        ours, theirs = await dump(self._memory.store, **names), await dump(self._other.store, **names)
        assert ours.differences(theirs) == {}
        assert await leftovers(self._other, ours) == []


def play_all(play: Callable[[list[Intent]], None]) -> None:
    """Play all scripts; of one that fails the shortest part that fails is shown.

    The scripts come from seeds, not from hypothesis: what it draws repeats itself too much to reach every outcome,
    and changes with its version.
    """
    for seed in range(SCRIPTS):
        script = whole_script(seed)
        try:
            play(script)
        except AssertionError as exc:
            exc.add_note(f"seed {seed}")
            shrink(script, play)
            raise


def shrink(script: list[Intent], play: Callable[[list[Intent]], None]) -> None:
    """Let hypothesis find a short part of the script that fails, and fail with it."""

    @settings(
        max_examples=100,
        derandomize=True,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(cuts_of(script))
    def part(steps: list[Intent]) -> None:
        play(steps)

    part()


def missing(seen: Seen) -> list[str]:
    return named(everything() - seen)


@pytest.mark.timeout(900)
def test_in_memory_every_promise_is_kept() -> None:
    seen: Seen = set()

    async def one(script: list[Intent]) -> None:
        memory = await memory_bench(**MARKS)
        await memory.store.open_pool(POOL)
        await Play(memory, None, seen).run(script)

    with asyncio.Runner() as runner:
        play_all(lambda script: runner.run(one(script)))
    assert not missing(seen), "\n".join(missing(seen))
    assert named(seen - everything()) in ([], ["Move: repeated"])


@pytest.mark.timeout(900)
def test_on_a_server_the_same_acts_give_the_same(redis_server: Server) -> None:
    seen: Seen = set()

    with asyncio.Runner() as runner:
        benches = redis_benches(redis_server.url)
        make = runner.run(benches.__aenter__())

        async def one(script: list[Intent]) -> None:
            assert redis_server.ask("FLUSHALL") == b"+OK"
            memory, other = await memory_bench(**MARKS), await make(**MARKS)
            for bench in (memory, other):
                await bench.store.open_pool(POOL)
                await bench.set_witness(START_MS)
            await Play(memory, other, seen).run(script)

        try:
            play_all(lambda script: runner.run(one(script)))
        finally:
            runner.run(benches.__aexit__(None, None, None))
    assert not missing(seen), "\n".join(missing(seen))
