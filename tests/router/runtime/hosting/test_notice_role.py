"""What the process makes of notices, whatever the notifiers do."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence

import aiohttp
import msgspec
import pytest

from router.contract.codec import header
from router.runtime.clock import ManualClock
from router.runtime.errors import PluginFailed, SendLater, StoreUnavailable, TaskDied
from router.runtime.hosting.notice_metrics import NoticeOutcome
from router.runtime.hosting.notice_sender import PROMPT
from router.runtime.ledger import LedgerEntry, MemoryLedger
from router.runtime.notifiers import Bulletin, NotifierHost, OpenNotifier, Target
from router.runtime.plugins import SendResult, failed, sent, unknown
from tests.suites.eventually import eventually
from tests.suites.notices import HASTY, NoticeWorld, notice, telling

HOUR_MS = 3_600_000


class NoOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class Told:
    """A notifier that does what a test tells it, per target, and writes down what it was given."""

    def __init__(self, name: str = "told") -> None:
        self.name = name
        self.host: NotifierHost | None = None
        self.fails = False
        self.given: list[str] = []
        self.out = 0
        self.does: dict[str, Callable[[], SendResult]] = {}
        self.hangs: dict[str, asyncio.Event] = {}
        self.is_closed = False

    def options_type(self) -> type[NoOptions]:
        return NoOptions

    async def open(self, targets: Sequence[Target[NoOptions]], host: NotifierHost) -> OpenNotifier:
        if self.fails:
            raise PluginFailed("the workspace is gone: name another")
        self.host = host
        return self

    async def send(self, told: Bulletin) -> SendResult:
        self.given.append(told.id)
        if told.target in self.hangs:
            self.out += 1
            await self.hangs[told.target].wait()
        return self.does.get(told.target, sent)()

    async def close(self, within_s: float) -> None:
        self.is_closed = True


def busy() -> SendResult:
    raise SendLater("busy")


def broken() -> SendResult:
    raise LookupError("a bug of the notifier")


class AbsentLedger(MemoryLedger):
    """A store that doesn't answer."""

    async def claim(self, reply: str, **_: object) -> LedgerEntry | None:
        raise StoreUnavailable("away")

    async def settle(self, reply: str, final: LedgerEntry) -> LedgerEntry:
        raise StoreUnavailable("away")


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
async def world(told: Told) -> AsyncIterator[NoticeWorld]:
    async with telling(world_of(told)) as one:
        yield one


def world_of(told: Told, **more: object) -> NoticeWorld:
    targets = [Target(id=id_, options=NoOptions()) for id_ in ("desk", "lead")]
    return NoticeWorld({told.name: (told, targets)}, **{"policy": HASTY, **more})  # type: ignore[arg-type]  # a test's own options


async def test_a_notice_goes_to_its_target_once(world: NoticeWorld, told: Told) -> None:
    await world.publish(notice())
    await world.counts("sent")
    await world.end()
    assert told.given == ["n1"]
    assert await world.unfinished() == []


async def test_every_outcome_is_counted_from_zero(world: NoticeWorld) -> None:
    assert {outcome: world.counted(outcome) for outcome in NoticeOutcome} == dict.fromkeys(NoticeOutcome, 0)
    assert world.put_off() == 0


async def test_a_target_that_is_not_configured_is_said_once(
    world: NoticeWorld, told: Told, caplog: pytest.LogCaptureFixture
) -> None:
    await world.publish(*(notice(f"n{number}", target="pager") for number in range(3)))
    await world.counts("no_target", 3)
    await world.end()
    assert told.given == []
    (said,) = [line for line in caplog.messages if "pager" in line]
    assert "the settings have no such target: add targets.pager" in said
    assert await world.unfinished() == []
    assert await world.letters() == []


async def test_without_any_notifier_the_notices_are_read_all_the_same() -> None:
    async with telling(NoticeWorld({})) as world:
        await world.publish(notice())
        await world.counts("no_target")
        await world.end()
        assert await world.unfinished() == []


async def test_what_the_target_refuses_for_good_lies_in_the_dead_letters(world: NoticeWorld, told: Told) -> None:
    told.does["desk"] = lambda: failed("the target answered 404")
    await world.publish(notice())
    await world.counts("failed")
    (letter,) = await eventually(world.letters)
    assert header(letter.headers, "turnout-reason") == "NoticeFailed: the target answered 404"
    await world.end()
    assert told.given == ["n1"]
    assert await world.unfinished() == []


async def test_a_failed_one_reaches_the_dead_letters_after_a_crash_too(world: NoticeWorld, told: Told) -> None:
    told.does["desk"] = lambda: failed("the target answered 404")
    await world.end()
    await world.publish(notice())
    world.bus.is_down = True
    await world.begin()
    await world.counts("failed")
    await world.end(0.2)
    assert await world.letters() == []
    world.bus.is_down = False
    await world.begin()
    await eventually(world.letters)
    await world.end()
    assert told.given == ["n1"]
    assert await world.unfinished() == []


async def test_an_open_outcome_is_final(world: NoticeWorld, told: Told) -> None:
    told.does["desk"] = lambda: unknown("the line broke")
    await world.publish(notice())
    await world.counts("unknown")
    await world.end()
    assert told.given == ["n1"]
    assert await world.unfinished() == []


async def test_what_is_no_notice_holds_up_nothing(world: NoticeWorld, told: Told) -> None:
    await world.publish_bytes(b'{"type":"notice"')
    await world.publish(notice())
    await world.counts("sent")
    await world.counts("undecodable")
    (letter,) = await eventually(world.letters)
    assert letter.value == b'{"type":"notice"'


async def test_nothing_is_committed_before_it_lies_in_the_dead_letters(told: Told) -> None:
    clock = ManualClock()
    async with telling(world_of(told, clock=clock)) as world:
        await world.end()
        await world.publish_bytes(b"no notice")
        world.bus.is_down = True
        await world.begin()
        await clock.asleep()
        await world.end(0.2)
        assert len(await world.unfinished()) == 1
        await world.begin()
        await clock.asleep()
        world.bus.is_down = False
        await clock.advance_ms(500)
        (letter,) = await eventually(world.letters)
        assert letter.value == b"no notice"
        await world.end()
        assert await world.unfinished() == []


@pytest.mark.parametrize("trouble", [busy, broken])
async def test_what_may_pass_is_tried_again(world: NoticeWorld, told: Told, trouble: Callable[[], SendResult]) -> None:
    told.does["desk"] = trouble
    await world.publish(notice())
    await eventually(lambda: world.put_off() >= 3)
    assert world.counted("sent") == 0
    del told.does["desk"]
    await world.counts("sent")
    assert set(told.given) == {"n1"}


async def test_a_target_that_hangs_is_tried_again(told: Told) -> None:
    told.hangs["desk"] = asyncio.Event()
    async with telling(world_of(told, policy=HASTY._replace(send_s=0.05))) as world:
        await world.publish(notice())
        await eventually(lambda: told.out >= 2)
        told.hangs.pop("desk").set()
        await world.counts("sent")


async def test_pauses_grow_to_a_bound_and_end_at_an_age(told: Told) -> None:
    clock = ManualClock()
    told.does["desk"] = busy
    policy = PROMPT._replace(first_wait_s=1.0, longest_wait_s=4.0, give_up_s=20.0)
    async with telling(world_of(told, clock=clock, policy=policy)) as world:
        await world.publish(notice(at_ms=clock.now_ms()))
        for number, pause_s in enumerate((1, 2, 4, 4, 4, 4, 4), start=1):
            await clock.asleep()
            assert len(told.given) == number
            await clock.advance_ms(pause_s * 1000 - 1)
            assert len(told.given) == number
            await clock.advance_ms(1)
        await world.counts("failed")
        (letter,) = await eventually(world.letters)
        assert header(letter.headers, "turnout-reason") == "NoticeFailed: no success for too long: busy"
        await world.end()
        assert len(told.given) == 8
        assert await world.unfinished() == []


async def test_an_old_notice_gets_its_tries_too(told: Told) -> None:
    clock = ManualClock()
    told.does["desk"] = busy
    async with telling(world_of(told, clock=clock, policy=PROMPT)) as world:
        await world.publish(notice(at_ms=clock.now_ms() - 24 * HOUR_MS))
        for pause_s in (1, 2, 4, 8):
            await clock.asleep()
            await clock.advance_ms(pause_s * 1000)
        await world.counts("failed")
        assert len(told.given) == 5


async def test_a_target_that_is_down_holds_up_no_other(world: NoticeWorld, told: Told) -> None:
    told.does["desk"] = busy
    await world.publish(*(notice(f"d{number}") for number in range(20)), notice("l1", target="lead"))
    await world.counts("sent")
    assert "l1" in told.given


async def test_notices_of_a_case_come_in_order(world: NoticeWorld, told: Told) -> None:
    told.does["desk"] = busy
    await world.publish(notice("n1"), notice("n2"), notice("n3"))
    await eventually(lambda: world.put_off() >= 2)
    assert set(told.given) == {"n1"}
    del told.does["desk"]
    await world.counts("sent", 3)
    assert list(dict.fromkeys(told.given)) == ["n1", "n2", "n3"]


async def test_a_target_is_not_flooded(world: NoticeWorld, told: Told) -> None:
    told.hangs["desk"] = asyncio.Event()
    await world.publish(*(notice(f"n{number}", case=f"c{number}") for number in range(40)))
    await world.publish(notice("l1", target="lead"))
    await world.counts("sent")
    assert told.out == 8
    told.hangs["desk"].set()
    await world.counts("sent", 41)


async def test_a_repeat_is_not_sent_again(world: NoticeWorld, told: Told) -> None:
    await world.publish(notice())
    await world.counts("sent")
    await world.publish(notice())
    await world.counts("repeated")
    assert told.given == ["n1"]


async def test_staff_are_told_without_a_store_too(told: Told) -> None:
    async with telling(world_of(told, ledger=AbsentLedger())) as world:
        await world.publish(notice())
        await world.counts("sent")
        await world.end()
        assert await world.unfinished() == []


async def test_a_notice_without_outcome_is_the_successors(world: NoticeWorld, told: Told) -> None:
    told.does["desk"] = busy
    await world.publish(notice())
    await eventually(lambda: world.put_off() >= 1)
    await world.end()
    assert [record.offset for record in await world.unfinished()] == [0]
    del told.does["desk"]
    await world.begin()
    await world.counts("sent")
    assert set(told.given) == {"n1"}


async def test_a_stop_lets_a_try_end_and_begins_none(world: NoticeWorld, told: Told) -> None:
    told.hangs["desk"] = asyncio.Event()
    await world.publish(*(notice(f"n{number}", case=f"c{number}") for number in range(12)))
    await eventually(lambda: told.out == 8)
    ending = asyncio.create_task(world.end(5.0))
    await asyncio.sleep(0)  # the stop has begun
    told.hangs["desk"].set()
    await ending
    assert told.is_closed
    assert world.counted("sent") == 8
    assert told.out == 8
    await world.begin()
    await world.counts("sent", 4)
    assert sorted(told.given) == sorted(f"n{number}" for number in range(12))


async def test_a_target_that_hangs_does_not_keep_the_process(world: NoticeWorld, told: Told) -> None:
    told.hangs["desk"] = asyncio.Event()
    await world.publish(notice())
    await eventually(lambda: told.out)
    await world.end(0.2)
    assert len(await world.unfinished()) == 1


async def test_trouble_is_said_until_the_notices_are_read(told: Told) -> None:
    world = world_of(told)
    assert world.make().troubles() == ["notices: has not joined its group yet"]
    async with telling(world):
        role = world.role
        assert role is not None
        await eventually(lambda: role.polled_at() is not None)
        assert role.troubles() == []


async def test_a_notifier_that_does_not_open_closes_the_rest(told: Told) -> None:
    other = Told("other")
    other.fails = True
    world = NoticeWorld({told.name: (told, []), other.name: (other, [])})
    with pytest.raises(PluginFailed, match="workspace"):
        await world.begin()
    assert told.is_closed
    assert told.host is not None
    assert told.host.http.closed
    await world.close()


async def test_a_task_of_a_notifier_that_dies_stops_the_service(told: Told) -> None:
    world = world_of(told)
    await world.begin()

    async def dies() -> None:
        raise LookupError("its socket is gone")

    assert told.host is not None
    told.host.spawn("socket", dies())
    await eventually(lambda: world.failures)
    (failure,) = world.failures
    assert isinstance(failure, TaskDied)
    assert "notifier-told-socket" in str(failure)
    await world.close()
    assert len(world.failures) == 1


async def test_the_host_gives_what_the_process_has(world: NoticeWorld, told: Told) -> None:
    host = told.host
    assert host is not None
    assert host.clock is world.clock
    assert host.registry is world.registry
    assert isinstance(host.http, aiohttp.ClientSession)
    assert host.blobs is not None
    assert host.signer is not None
