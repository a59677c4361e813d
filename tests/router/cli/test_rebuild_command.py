"""``turnout rebuild`` on a real server: the store and the streams of the bus are both there."""

import asyncio
from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from router.cli.rebuild import rebuild
from router.contract.ids import PoolId
from router.contract.topics import topic_specs
from router.runtime.bus.streams import StreamsBus
from router.runtime.clock import SystemClock
from router.service.configuration.topic import ConfigurationWriter
from router.service.rebuilding.rebuild import LEASE_MS
from tests.servers import Server
from tests.suites.rebuild_stage import RebuildStage, rebuild_stage_on
from tests.suites.stage import POOL, rulebook

SPECS = topic_specs((PoolId("default"),), inquiry_partitions=2, partitions=2)
Turnout = Callable[..., Result]


async def _on(url: str, work: Callable[[RebuildStage], object]) -> None:
    """Do something with a stage on that server, and leave the server as it is then."""
    bus = StreamsBus(url)
    await bus.create_topics(SPECS)
    await ConfigurationWriter(bus, clock=SystemClock()).activate(rulebook())
    async with rebuild_stage_on(url, bus) as made:
        await work(made)  # type: ignore[misc]  # each is a coroutine function
    await bus.close()


async def some_cases(lossy: RebuildStage) -> None:
    await lossy.scene.hire("mina")
    await lossy.write("c1")
    await lossy.write("c2")
    await lossy.relay()


async def lost(lossy: RebuildStage) -> None:
    await some_cases(lossy)
    await lossy.lose()


@pytest.fixture
def turnout(valkey: Server) -> Turnout:
    environ = {"TURNOUT__REDIS__URL": valkey.url, "TURNOUT__SIGNING_KEY": "long enough to sign with, surely so"}

    def call(*words: str, answer: str = "") -> Result:
        return CliRunner().invoke(rebuild, words, input=answer, env=environ)

    return call


def test_a_store_that_is_whole_is_said_to_be(turnout: Turnout, valkey: Server) -> None:
    asyncio.run(_on(valkey.url, some_cases))
    result = turnout("--dry-run")
    assert (result.exit_code, "isn't behind" in result.output, "2 open cases" in result.output) == (0, True, True)


def test_a_dry_run_tells_of_a_loss_and_changes_nothing(turnout: Turnout, valkey: Server) -> None:
    asyncio.run(_on(valkey.url, lost))
    first, second = turnout("--dry-run"), turnout("--dry-run")
    assert (first.exit_code, second.exit_code) == (1, 1)
    assert "the store has nothing" in first.output


def test_a_lost_store_is_rebuilt(turnout: Turnout, valkey: Server) -> None:
    asyncio.run(_on(valkey.url, lost))
    result = turnout("--yes")
    assert result.exit_code == 0, result.output
    assert "rebuilt 2 cases and 1 advisors" in result.output
    assert "as gen 2" in result.output
    assert turnout("--dry-run").exit_code == 0


def test_whoever_has_doubts_changes_nothing(turnout: Turnout, valkey: Server) -> None:
    asyncio.run(_on(valkey.url, some_cases))
    result = turnout(answer="n\n")
    assert (result.exit_code, "isn't behind" in result.output) == (1, True)
    assert "as gen" not in result.output


def test_acts_that_would_be_lost_are_told(turnout: Turnout, valkey: Server) -> None:
    async def ahead(lossy: RebuildStage) -> None:
        await some_cases(lossy)
        await lossy.write("c3")

    asyncio.run(_on(valkey.url, ahead))
    result = turnout(answer="n\n")
    assert (result.exit_code, "1 acts aren't on the bus yet" in result.output) == (1, True)


def test_it_may_be_done_again_and_again(turnout: Turnout, valkey: Server) -> None:
    asyncio.run(_on(valkey.url, some_cases))
    assert "as gen 2" in turnout("--yes").output
    assert "as gen 3" in turnout("--yes", "--pool", "default").output


def test_while_another_one_rebuilds_it_says_so(turnout: Turnout, valkey: Server) -> None:
    async def begun(lossy: RebuildStage) -> None:
        await lost(lossy)
        assert await lossy.rebuilds.begin_rebuild(POOL, "another", lease_ms=LEASE_MS)

    asyncio.run(_on(valkey.url, begun))
    result = turnout("--yes")
    assert (result.exit_code, "another process" in result.output) == (3, True)


@pytest.mark.usefixtures("valkey")
def test_a_pool_that_nobody_has_is_refused(turnout: Turnout) -> None:
    result = turnout("--pool", "nowhere")
    assert (result.exit_code, "no pool 'nowhere'" in result.output) == (2, True)


def test_without_a_rulebook_there_was_never_a_router(turnout: Turnout, valkey: Server) -> None:
    async def empty() -> None:
        bus = StreamsBus(valkey.url)
        await bus.create_topics(SPECS)
        await bus.close()

    asyncio.run(empty())
    result = turnout("--yes")
    assert (result.exit_code, "no rulebook" in result.output) == (2, True)
